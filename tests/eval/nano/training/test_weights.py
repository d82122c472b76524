"""The shipped checkpoint acts on pages that a real browser rendered and that training never saw."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from eval.nano.training.evaluate import Clicker, hits
from eval.nano.training.stored import load_pages
from guikv.nano import WEIGHTS

PAGES = Path(__file__).resolve().parents[3] / "data" / "nano_pages"


@pytest.fixture(scope="module")
def clicker() -> Clicker:
    torch.set_num_threads(1)
    return Clicker.load(WEIGHTS)


def test_size_and_shape(clicker: Clicker) -> None:
    config = clicker.model.config
    assert (WEIGHTS / "model.safetensors").stat().st_size <= 25e6
    assert sum(p.numel() for p in clicker.model.parameters()) < 12e6
    assert config.text_config.num_attention_heads == 4
    assert config.text_config.num_key_value_heads == 2
    assert 4 <= config.text_config.num_hidden_layers <= 6
    assert config.vision_config.fullatt_block_indexes


def test_clicks_the_named_control_and_needs_the_screenshot(clicker: Clicker) -> None:
    pages = load_pages(PAGES)
    assert len(pages) >= 20
    goals = [p.goal for p in pages]
    white = np.full((280, 280, 3), 255, np.uint8)
    replies = clicker.replies(goals, [p.screen().pixels for p in pages])
    seen = [hits(p, r)[1] for p, r in zip(pages, replies, strict=True)]
    blind = [hits(p, r)[1] for p, r in zip(pages, clicker.replies(goals, [white] * len(pages)), strict=True)]
    assert np.mean(seen) >= 0.7
    assert np.mean(blind) <= 0.2

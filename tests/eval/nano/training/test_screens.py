"""Synthetic screens and their labels."""

from __future__ import annotations

import random

import numpy as np
from PIL import Image
from transformers import AutoImageProcessor

from eval.nano.training.chat import build_tokenizer, word_ids
from eval.nano.training.model import MEAN, STD
from eval.nano.training.samples import cell_labels, to_patches
from eval.nano.training.screens import CELL, GRID, KINDS, SIDE, STEP, click_point, control_page
from guikv.nano import WEIGHTS


def test_click_points_are_inside_their_boxes() -> None:
    rng = random.Random(0)
    kinds = set()
    for _ in range(60):
        screen = control_page(rng)
        for e in screen.controls:
            x, y = click_point(e)
            assert e.box[0] <= x < e.box[2]
            assert e.box[1] <= y < e.box[3]
            assert x % STEP == y % STEP == 0
            kinds.add(e.kind)
    assert kinds == set(KINDS)


def test_words_on_a_page_differ_and_are_labelled_where_they_stand() -> None:
    ids = word_ids(build_tokenizer())
    screen = control_page(random.Random(1))
    words = [e.word for e in screen.elements]
    assert len(set(words)) == len(words)
    labels, clicks = cell_labels(screen, ids)
    for e in screen.controls:
        middle = ((e.text[1] + e.text[3]) // 2 // CELL) * GRID + (e.text[0] + e.text[2]) // 2 // CELL
        assert labels[middle] == ids[e.word]
        assert tuple(clicks[middle] * STEP) == click_point(e)


def test_patches_equal_the_image_processor() -> None:
    pixels = control_page(random.Random(2)).pixels
    out = AutoImageProcessor.from_pretrained(WEIGHTS)(images=[Image.fromarray(pixels)], return_tensors="np")
    assert out["image_grid_thw"].tolist() == [[1, SIDE // 14, SIDE // 14]]
    mine = to_patches(pixels).reshape(-1, 3, 1, 196) / 255
    mine = (mine - np.array(MEAN).reshape(3, 1, 1)) / np.array(STD).reshape(3, 1, 1)
    mine = np.broadcast_to(mine, (len(mine), 3, 2, 196)).reshape(len(mine), -1)
    assert np.allclose(mine, out["pixel_values"], atol=1e-5)

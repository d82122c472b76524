"""Qwen3-VL and everything fine-tuned from it (EvoCUA, GUI-Owl-1.5, MAI-UI, …): interleaved M-RoPE and deepstack.

Deepstack: the vision tower gives features from several of its blocks. The last ones take the place of the image
tokens' embeddings, the others are added to the image tokens after the decoder's first layers. Whatever part of a
conversation is prefilled, its image tokens need theirs, so both are kept together.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor
from transformers import Qwen3VLForConditionalGeneration

from guikv.attention import WATCH, Watch
from guikv.models.base import RunCache
from guikv.models.qwen_vl import QwenVL
from guikv.models.vision import Deep, Features
from guikv.prompt import Pixels


class Qwen3VL(QwenVL):
    """Adapter of `Qwen3VLForConditionalGeneration`."""

    family = "qwen3_vl"
    dialect = "qwen3"
    model_class = Qwen3VLForConditionalGeneration

    def embed_image(self, pixels: Pixels) -> Features:
        out = self.see(pixels)
        return Features(out.pooler_output, tuple(out.deepstack_features))

    def vision_flops(self, pixels: Pixels) -> int:
        return vision_flops(self.model.config.vision_config, pixels)

    def forward(
        self, embeds: Tensor, positions: Tensor, cache: RunCache, watch: Watch, deep: Deep | None = None
    ) -> Tensor:
        """As in `Adapter`; deep features are added after the decoder's first layers."""
        out = self.model.model.language_model(
            inputs_embeds=embeds,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            **{WATCH: watch},
            visual_pos_masks=None if deep is None else deep.rows.unsqueeze(0),
            deepstack_visual_embeds=None if deep is None else list(deep.layers),
        )
        return out.last_hidden_state


def vision_flops(config: Any, pixels: Pixels) -> int:
    """FLOPs of Qwen3-VL's vision tower on one screenshot: full attention in every block, one merger per output."""
    count = pixels.grid[0] * pixels.grid[1] * pixels.grid[2]
    hidden, merged = config.hidden_size, config.spatial_merge_size**2
    patch = config.in_channels * config.temporal_patch_size * config.patch_size**2
    block = count * hidden * (4 * hidden + 2 * config.intermediate_size)
    mergers = 1 + len(getattr(config, "deepstack_visual_indexes", ()))
    merger = count // merged * (hidden * merged) * (hidden * merged + config.out_hidden_size)
    linear = count * patch * hidden + config.depth * block + mergers * merger
    return 2 * linear + 4 * hidden * config.depth * (pixels.grid[1] * pixels.grid[2]) ** 2 * pixels.grid[0]

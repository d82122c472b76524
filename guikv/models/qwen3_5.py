"""Qwen3.5 and its like: three linear-attention layers to one with full attention, and Qwen3-VL's vision tower.

Keys and values exist in the full-attention layers only; those are compressed. What the linear layers know is in their
states, which `guikv.hybrid_cache` keeps. Vision is as in Qwen3-VL without deepstack. Whether the model thinks is for
its chat template to say; its own tokens, thoughts included, stay in the cache as they were written.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torch import Tensor
from transformers import Qwen3_5ForConditionalGeneration, Qwen3_5MoeForConditionalGeneration

from guikv.attention import WATCH, Watch
from guikv.cache import CompressedCache
from guikv.errors import ModelError
from guikv.hybrid_cache import LINEAR, HybridCache
from guikv.models.base import RunCache, Shape, shape_of
from guikv.models.qwen3_vl import vision_flops
from guikv.models.qwen_vl import QwenVL
from guikv.models.vision import Deep
from guikv.prompt import Pixels

FULL = "full_attention"


class Qwen35(QwenVL):
    """Adapter of `Qwen3_5ForConditionalGeneration`."""

    family = "qwen3_5"
    dialect = "qwen3"
    model_class = Qwen3_5ForConditionalGeneration

    def prepare(self) -> None:
        """As in `Adapter`: raises ModelError for unknown kinds of layers, or where no layer has full attention."""
        super().prepare()
        text = self.model.config.text_config
        self.layer_types: tuple[str, ...] = tuple(text.layer_types)
        unknown = sorted(set(self.layer_types) - {LINEAR, FULL})
        if unknown or FULL not in self.layer_types:
            raise ModelError(f"a hybrid of {', '.join(unknown or self.layer_types)} layers cannot be kept in a session")
        self.shape = hybrid_shape(text)

    def new_cache(self) -> CompressedCache:
        return HybridCache(self.layer_types)

    def vision_flops(self, pixels: Pixels) -> int:
        return vision_flops(self.model.config.vision_config, pixels)

    def forward(
        self, embeds: Tensor, positions: Tensor, cache: RunCache, watch: Watch, deep: Deep | None = None
    ) -> Tensor:
        """As in `Adapter`; this family has no deep features."""
        cache.begin(embeds.shape[1])
        out = self.model.model.language_model(
            inputs_embeds=embeds, position_ids=positions, past_key_values=cache, use_cache=True, **{WATCH: watch}
        )
        return out.last_hidden_state


class Qwen35Moe(Qwen35):
    """Adapter of `Qwen3_5MoeForConditionalGeneration`: the same with a mixture of experts for an MLP."""

    family = "qwen3_5_moe"
    model_class = Qwen3_5MoeForConditionalGeneration


def hybrid_shape(text: Any) -> Shape:
    """The decoder's numbers; `extra` counts the linear layers and the full ones' output gates."""
    shape = shape_of(text)
    keys = text.linear_num_key_heads * text.linear_key_head_dim
    values = text.linear_num_value_heads * text.linear_value_head_dim
    projections = text.hidden_size * (2 * keys + 3 * values + 2 * text.linear_num_value_heads)
    convolution = (2 * keys + values) * text.linear_conv_kernel_dim
    # Reading the state, correcting it and writing it: three products of its size.
    state = 3 * values * text.linear_key_head_dim
    mlp = 3 * text.hidden_size * shape.intermediate
    linear = list(text.layer_types).count(LINEAR)
    gates = shape.layers * text.hidden_size * shape.query_heads * shape.head_dim
    return replace(shape, extra=linear * (projections + convolution + state + mlp) + gates)

"""What Qwen's vision-language models have in common: M-RoPE on three axes and transformers' module tree."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from guikv.attention import NAME
from guikv.errors import ModelError
from guikv.models.base import Adapter, shape_of
from guikv.models.images import patches
from guikv.models.vision import Features, merged_positions
from guikv.models.vision_attention import prepare_tower, see
from guikv.prompt import Pixels

AXES = 3


class QwenVL(Adapter):
    """Adapter of `Qwen…VLForConditionalGeneration`: `model.visual`, `model.language_model` and `lm_head`."""

    def prepare(self) -> None:
        """As in `Adapter`: raises ModelError for a decoder whose layers forget by themselves."""
        text = self.model.config.text_config
        if "sliding_attention" in (getattr(text, "layer_types", None) or ()):
            raise ModelError("layers with sliding attention cannot be kept in a session")
        eyes = prepare_tower(self.tower)
        self.model.set_attn_implementation({"text_config": NAME, "vision_config": eyes})
        self.shape = shape_of(text)

    @property
    def tower(self) -> nn.Module:
        return self.model.model.visual

    @property
    def context(self) -> int:
        return int(self.model.config.text_config.max_position_embeddings)

    @property
    def decoder_layers(self) -> nn.ModuleList:
        return self.model.model.language_model.layers

    @property
    def rotary(self) -> nn.Module:
        return self.model.model.language_model.rotary_emb

    def positions_of_image(self, start: int, pixels: Pixels) -> Tensor:
        return merged_positions(start, pixels)

    def positions_of_text(self, start: int, count: int) -> Tensor:
        return torch.arange(start, start + count).expand(AXES, count)

    def embed_image(self, pixels: Pixels) -> Features:
        return Features(self.see(pixels).pooler_output)

    def see(self, pixels: Pixels) -> Any:
        """transformers' output of the vision tower for one screenshot."""
        values = patches(pixels, self.processor).to(self.device, self.dtype)
        return see(self.tower, values, pixels.grid)

    def embed_text(self, ids: Tensor) -> Tensor:
        return self.model.get_input_embeddings()(ids)

    def logits(self, hidden: Tensor) -> Tensor:
        return self.model.lm_head(hidden)

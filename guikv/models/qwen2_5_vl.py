"""Qwen2.5-VL and everything fine-tuned from it (UI-TARS-1.5, GUI-Owl, Holo1.5, Fara, …): M-RoPE, windowed vision."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers import Qwen2_5_VLForConditionalGeneration

from guikv.accounting import vision_flops
from guikv.attention import NAME
from guikv.cache import CompressedCache
from guikv.models.base import Adapter, Shape
from guikv.models.images import patches
from guikv.prompt import Pixels

AXES = 3


def shape_of(text: Any) -> Shape:
    """The decoder's numbers from its configuration."""
    return Shape(
        layers=text.num_hidden_layers,
        query_heads=text.num_attention_heads,
        kv_heads=text.num_key_value_heads,
        head_dim=text.hidden_size // text.num_attention_heads,
        hidden=text.hidden_size,
        intermediate=text.intermediate_size,
        vocabulary=text.vocab_size,
    )


class Qwen25VL(Adapter):
    """Adapter of `Qwen2_5_VLForConditionalGeneration`."""

    family = "qwen2_5_vl"
    model_class = Qwen2_5_VLForConditionalGeneration

    def __init__(
        self,
        model: Qwen2_5_VLForConditionalGeneration,
        tokenizer: Any,
        processor: Any,
        name: str = "",
        path: str = "",
    ) -> None:
        super().__init__(model, tokenizer, processor, name, path)
        model.set_attn_implementation({"text_config": NAME})
        self.shape = shape_of(model.config.text_config)

    @property
    def decoder_layers(self) -> nn.ModuleList:
        return self.model.model.language_model.layers

    def positions_of_image(self, start: int, pixels: Pixels) -> Tensor:
        """Time stands still over one image; height and width count its rows and columns of merged patches."""
        rows, cols = torch.arange(pixels.rows), torch.arange(pixels.cols)
        height = rows.repeat_interleave(pixels.cols)
        width = cols.repeat(pixels.rows)
        return torch.stack([torch.zeros_like(height), height, width]) + start

    def positions_of_text(self, start: int, count: int) -> Tensor:
        return torch.arange(start, start + count).expand(AXES, count)

    def embed_image(self, pixels: Pixels) -> Tensor:
        grid = torch.tensor([pixels.grid], device=self.device)
        values = patches(pixels, self.processor).to(self.device, self.dtype)
        return self.model.model.get_image_features(values, grid).pooler_output[0]

    def vision_flops(self, pixels: Pixels) -> int:
        return vision_flops(self.model.config.vision_config, pixels)

    def embed_text(self, ids: Tensor) -> Tensor:
        return self.model.get_input_embeddings()(ids)

    def decode(self, embeds: Tensor, positions: Tensor, cache: CompressedCache) -> Tensor:
        out = self.model.model.language_model(
            inputs_embeds=embeds, position_ids=positions.unsqueeze(1), past_key_values=cache, use_cache=True
        )
        return out.last_hidden_state

    def logits(self, hidden: Tensor) -> Tensor:
        return self.model.lm_head(hidden)

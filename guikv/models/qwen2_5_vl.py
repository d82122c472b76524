"""Qwen2.5-VL and everything fine-tuned from it (UI-TARS-1.5, GUI-Owl, Holo1.5, Fara, …): M-RoPE, windowed vision."""

from __future__ import annotations

from torch import Tensor
from transformers import Qwen2_5_VLForConditionalGeneration

from guikv.attention import WATCH, Watch
from guikv.models.base import RunCache
from guikv.models.qwen_vl import QwenVL
from guikv.models.vision import Deep, windowed_flops
from guikv.prompt import Pixels


class Qwen25VL(QwenVL):
    """Adapter of `Qwen2_5_VLForConditionalGeneration`."""

    family = "qwen2_5_vl"
    dialect = "qwen25"
    model_class = Qwen2_5_VLForConditionalGeneration

    def vision_flops(self, pixels: Pixels) -> int:
        return windowed_flops(self.model.config.vision_config, pixels)

    def forward(
        self, embeds: Tensor, positions: Tensor, cache: RunCache, watch: Watch, deep: Deep | None = None
    ) -> Tensor:
        """As in `Adapter`; this family has no deep features."""
        out = self.model.model.language_model(
            inputs_embeds=embeds, position_ids=positions, past_key_values=cache, use_cache=True, **{WATCH: watch}
        )
        return out.last_hidden_state

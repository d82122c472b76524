"""The adapter: positions on one axis, and where the modules are."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from guikv.attention import NAME, WATCH, Watch
from guikv.errors import ModelError
from guikv.models.base import Adapter, RunCache, shape_of
from guikv.models.images import patches
from guikv.models.opencua.chat import PUBLISHED, chat_of
from guikv.models.opencua.model import OpenCUAForConditionalGeneration, one_axis
from guikv.models.opencua.tokenizer import load_tokenizer
from guikv.models.vision import Deep, Features, windowed_flops
from guikv.models.vision_attention import prepare_tower, see
from guikv.prompt import Pixels


class OpenCUA(Adapter):
    """Adapter of `OpenCUAForConditionalGeneration`."""

    family = "opencua"
    dialect = "opencua"
    chat = PUBLISHED
    model_class = OpenCUAForConditionalGeneration
    load_tokenizer = staticmethod(load_tokenizer)

    @classmethod
    def check_tokenizer(cls, tokenizer: Any, config: Any) -> None:
        chat_of(tokenizer, config.media_placeholder_token_id)

    def prepare(self) -> None:
        """As in `Adapter`: raises ModelError for a decoder that forgets by itself, or a tokenizer of another model."""
        text = self.model.config.text_config
        if "sliding_attention" in text.layer_types:
            raise ModelError("layers with sliding attention cannot be kept in a session")
        self.chat = chat_of(self.tokenizer, self.model.config.media_placeholder_token_id)
        eyes = prepare_tower(self.tower)
        self.model.set_attn_implementation({"text_config": NAME, "vision_config": eyes})
        self.shape = shape_of(text)

    @property
    def tower(self) -> nn.Module:
        return self.model.vision_tower

    @property
    def context(self) -> int:
        return int(self.model.config.text_config.max_position_embeddings)

    @property
    def decoder_layers(self) -> nn.ModuleList:
        return self.model.language_model.model.layers

    @property
    def rotary(self) -> nn.Module:
        return self.model.language_model.model.rotary_emb

    def positions_of_image(self, start: int, pixels: Pixels) -> Tensor:
        return one_axis(start, pixels.tokens)

    def positions_of_text(self, start: int, count: int) -> Tensor:
        return one_axis(start, count)

    def embed_image(self, pixels: Pixels) -> Features:
        values = patches(pixels, self.processor).to(self.device, self.dtype)
        return Features(see(self.tower, values, pixels.grid).pooler_output)

    def vision_flops(self, pixels: Pixels) -> int:
        return windowed_flops(self.model.config.vision_config, pixels)

    def embed_text(self, ids: Tensor) -> Tensor:
        return self.model.get_input_embeddings()(ids)

    def forward(
        self, embeds: Tensor, positions: Tensor, cache: RunCache, watch: Watch, deep: Deep | None = None
    ) -> Tensor:
        """As in `Adapter`; this family has no deep features."""
        out = self.model.language_model.model(
            inputs_embeds=embeds, position_ids=positions[0], past_key_values=cache, use_cache=True, **{WATCH: watch}
        )
        return out.last_hidden_state

    def logits(self, hidden: Tensor) -> Tensor:
        return self.model.language_model.lm_head(hidden)

"""OpenCUA's configuration, and its modules under the names that its checkpoints use.

config.json has a vision part, a Qwen2 text part, and the id of the token that stands for image patches; the modules are
`vision_tower` and `language_model`.
"""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from transformers import AutoConfig, PreTrainedConfig, PreTrainedModel, Qwen2Config, Qwen2ForCausalLM
from transformers.models.qwen2_5_vl.configuration_qwen2_5_vl import Qwen2_5_VLVisionConfig
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import Qwen2_5_VisionTransformerPretrainedModel


class OpenCUAConfig(PreTrainedConfig):
    """Configuration of model type `opencua`, with the keys that the owners publish."""

    model_type = "opencua"
    sub_configs: ClassVar[dict[str, type]] = {"text_config": Qwen2Config, "vision_config": Qwen2_5_VLVisionConfig}

    def __init__(
        self,
        text_config: Any = None,
        vision_config: Any = None,
        media_placeholder_token_id: int = 151664,
        ignore_index: int = -100,
        pad_token_id: int | None = 0,
        **kwargs: Any,
    ) -> None:
        self.text_config = _part(Qwen2Config, text_config)
        self.vision_config = _part(Qwen2_5_VLVisionConfig, vision_config)
        self.media_placeholder_token_id = media_placeholder_token_id
        self.ignore_index = ignore_index
        super().__init__(pad_token_id=pad_token_id, **kwargs)


def _part(kind: Any, given: Any) -> Any:
    """A part's configuration. Its own `model_type` is left out: owners name the whole model there."""
    if isinstance(given, dict):
        return kind(**{key: value for key, value in given.items() if key != "model_type"})
    return kind() if given is None else given


AutoConfig.register("opencua", OpenCUAConfig, exist_ok=True)

KEY_MAPPING = {
    r"^(model\.)?visual\.": "vision_tower.",
    r"^model\.language_model\.": "language_model.model.",
    r"^model\.(?!visual|language_model)": "language_model.model.",
    r"^lm_head\.": "language_model.lm_head.",
}
"""Names of copies that were saved in Qwen2.5-VL's layouts → the owners' names, which need no change."""


class OpenCUAForConditionalGeneration(PreTrainedModel):
    """Vision tower and decoder, composed from transformers' modules."""

    config_class = OpenCUAConfig
    base_model_prefix = ""
    input_modalities = ("image", "text")
    _supports_sdpa = True
    _supports_flash_attn = True
    _supports_attention_backend = True

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.vision_tower = Qwen2_5_VisionTransformerPretrainedModel(config.vision_config)
        self.language_model = Qwen2ForCausalLM(config.text_config)
        self.post_init()

    @classmethod
    def from_pretrained(cls, *args: Any, **kwargs: Any) -> Any:
        """As in transformers; knows the weight names of copies in other layouts too."""
        return super().from_pretrained(*args, **{"key_mapping": KEY_MAPPING, **kwargs})

    def get_input_embeddings(self) -> nn.Module:
        return self.language_model.get_input_embeddings()

    def get_output_embeddings(self) -> nn.Module:
        return self.language_model.get_output_embeddings()

    def image_features(self, pixel_values: Tensor, grid: Tensor) -> Tensor:
        """[patches, channels·temporal·patch²] and [images, 3] → features [image tokens, hidden] of all images."""
        return self.vision_tower(pixel_values.to(self.vision_tower.dtype), grid_thw=grid).pooler_output

    def forward(
        self,
        input_ids: Tensor,
        pixel_values: Tensor | None = None,
        image_grid_thw: Tensor | None = None,
        **kwargs: Any,
    ) -> Any:
        """Logits over [batch, n] ids whose image tokens are replaced by the images' features, in order."""
        embeds = self.get_input_embeddings()(input_ids)
        if pixel_values is not None and image_grid_thw is not None:
            features = self.image_features(pixel_values, image_grid_thw).to(embeds.dtype)
            place = (input_ids == self.config.media_placeholder_token_id).unsqueeze(-1).expand_as(embeds)
            embeds = embeds.masked_scatter(place, features)
        return self.language_model(inputs_embeds=embeds, **kwargs)


def one_axis(start: int, count: int) -> Tensor:
    """Positions [1, count] from `start` on: every token counts one, image tokens too."""
    return torch.arange(start, start + count).unsqueeze(0)

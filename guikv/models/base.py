"""An adapter: one loaded model with everything a session needs to know of its architecture."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor, nn
from transformers import AutoTokenizer

from guikv.attention import Watch
from guikv.cache import CompressedCache
from guikv.content import Frame, Message
from guikv.errors import ContextError, ModelError, SessionError
from guikv.models import images
from guikv.models.chat import Chat, reply_opening
from guikv.models.checkpoint import fingerprint, processor_template
from guikv.models.encoding import Encoding
from guikv.models.packed import pack
from guikv.models.vision import Deep, Features, VisionCache
from guikv.prompt import Pixels, Prompt


@dataclass(frozen=True)
class Shape:
    """Numbers of the decoder: layers, query heads, KV heads, head dimension, hidden and MLP width, vocabulary.

    layers: those that keep keys and values; extra: multiply-adds of one token in all the others
    """

    layers: int
    query_heads: int
    kv_heads: int
    head_dim: int
    hidden: int
    intermediate: int
    vocabulary: int
    extra: int = 0

    def bytes_per_token(self, dtype: torch.dtype) -> int:
        """KV bytes of one token over all layers, KV heads only."""
        return self.layers * 2 * self.kv_heads * self.head_dim * dtype.itemsize


def shape_of(text: Any) -> Shape:
    """The decoder's numbers from its configuration in transformers."""
    kinds = getattr(text, "layer_types", None) or ()
    # Of a mixture of experts, the part that one token runs through.
    width = getattr(text, "intermediate_size", None)
    if width is None:
        width = text.num_experts_per_tok * text.moe_intermediate_size + text.shared_expert_intermediate_size
    return Shape(
        layers=text.num_hidden_layers - list(kinds).count("linear_attention"),
        query_heads=text.num_attention_heads,
        kv_heads=text.num_key_value_heads,
        head_dim=getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads,
        hidden=text.hidden_size,
        intermediate=width,
        vocabulary=text.vocab_size,
    )


class RunCache(Protocol):
    """What the decoder runs over: a transformers `Cache` that is told before new tokens come."""

    layers: list[Any]

    def begin(self, new: int) -> None:
        """`new` tokens are about to run through all layers."""


PROMPT = "prompt.txt"
"""A checkpoint's own prompt, beside its weights."""


class Adapter(ABC):
    """A vision-language model. Subclasses know its chat template, its positions and where its modules are.

    name, path: as asked for, and the folder or hub name it came from
    opening: what the checkpoint's chat template writes before a reply: it may open the thoughts, or close them empty
    prompt_template: text of `prompt.txt` beside the checkpoint, with `{instruction}` in it, or None
    dialect: what the checkpoint speaks; the family's own unless the loader knows better
    """

    family = ""
    dialect = "ui_tars"
    chat = Chat()
    model_class: ClassVar[Any]

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        processor: Any,
        name: str = "",
        path: str = "",
        thinking: bool | None = None,
    ) -> None:
        """thinking: whether the model is to think before it answers; None leaves that to its template.

        Raises ModelError for a model that cannot be kept in a session.
        """
        self.model, self.tokenizer, self.processor = model, tokenizer, processor
        self.name, self.path = name, path
        self.prepare()
        self.opening = reply_opening(tokenizer, self.chat, thinking)
        template = Path(path) / PROMPT if path else None
        self.prompt_template = template.read_text() if template is not None and template.is_file() else None
        self.vision_cache = VisionCache()
        self.encoding = Encoding()
        self.model.eval()

    # How the loader gets a checkpoint's parts; a family with other files than Qwen's says so here.

    @staticmethod
    def load_tokenizer(path: str) -> Any:
        """The tokenizer of the checkpoint folder `path`. Nothing in the folder is run."""
        tokenizer = AutoTokenizer.from_pretrained(path, trust_remote_code=False)
        if not tokenizer.chat_template:
            tokenizer.chat_template = processor_template(Path(path))
        return tokenizer

    @classmethod
    def check_tokenizer(cls, tokenizer: Any, config: Any) -> None:
        """Raise ModelError when the tokenizer lacks a control token, or belongs to another model than `config`."""
        known = tokenizer.get_vocab()
        missing = [token for token in cls.chat.special() if token not in known]
        if missing:
            raise ModelError(f"its tokenizer lacks {', '.join(missing)}")
        image, expected = known[cls.chat.image], getattr(config, "image_token_id", None)
        if expected is not None and image != expected:
            raise ModelError(f"{cls.chat.image} is token {image} of its tokenizer, but {expected} in its config.json")

    # What subclasses say of their architecture.

    shape: Shape

    @abstractmethod
    def prepare(self) -> None:
        """Set `shape`, and the attention function that compressed caches need.

        Raises ModelError for layers that cannot be kept in a session, or a tokenizer of another model.
        """

    @property
    @abstractmethod
    def context(self) -> int:
        """Rotary positions that the model was made for."""

    @property
    @abstractmethod
    def tower(self) -> nn.Module:
        """transformers' vision tower, with its patch merger."""

    @property
    @abstractmethod
    def decoder_layers(self) -> nn.ModuleList:
        """The decoder's layers, each with its attention module as `self_attn`."""

    @property
    @abstractmethod
    def rotary(self) -> nn.Module:
        """transformers' module that makes cosines and sines of positions for the decoder's layers."""

    @abstractmethod
    def positions_of_image(self, start: int, pixels: Pixels) -> Tensor:
        """Rotary positions [axes, tokens] of an image that begins at position `start`."""

    @abstractmethod
    def positions_of_text(self, start: int, count: int) -> Tensor:
        """Rotary positions [axes, count] of text that begins at position `start`."""

    @abstractmethod
    def embed_image(self, pixels: Pixels) -> Features:
        """Vision features of one screenshot, not cached."""

    @abstractmethod
    def vision_flops(self, pixels: Pixels) -> int:
        """Floating point operations of encoding one screenshot (2 per multiply-add)."""

    @abstractmethod
    def forward(
        self, embeds: Tensor, positions: Tensor, cache: RunCache, watch: Watch, deep: Deep | None = None
    ) -> Tensor:
        """Run the decoder over new tokens, in a prefill or one by one; their entries go into the cache.

        embeds: [batch, new, hidden]
        positions: [axes, batch, new]
        watch: filled on the way; has to name the cache, or the batch that the cache is
        deep: what `guikv.models.vision.place` gave for the new tokens; with it, batch is 1
        Returns the last hidden states, [batch, new, hidden].
        """

    @abstractmethod
    def embed_text(self, ids: Tensor) -> Tensor:
        """Token embeddings of ids [n]: [n, hidden]."""

    @abstractmethod
    def logits(self, hidden: Tensor) -> Tensor:
        """Hidden states [..., hidden] → logits [..., vocabulary]."""

    # What they have in common.

    @property
    def device(self) -> torch.device:
        return self.model.get_input_embeddings().weight.device

    @property
    def dtype(self) -> torch.dtype:
        return self.model.get_input_embeddings().weight.dtype

    def image_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """(width, height) of the image the model sees of a screenshot of `size`. Raises ImageError."""
        return images.resized(size, self.processor)

    def describe(self, frame: Frame) -> Pixels:
        """What a screenshot will be for the model, from its size alone. Raises ImageError."""
        return images.describe(frame, self.processor)

    def new_cache(self) -> CompressedCache:
        """An empty cache of the kind that the model's layers need."""
        return CompressedCache(self.shape.layers)

    @cached_property
    def fingerprint(self) -> str:
        """Tells models apart by their shape and a sample of every weight as it was loaded."""
        return fingerprint(str(asdict(self.shape)), self.model.state_dict().items())

    @cached_property
    def parameters(self) -> int:
        """How many the model has."""
        return sum(p.numel() for p in self.model.parameters())

    def pack(self) -> None:
        """Put the linear layers' weights into the order that a CPU reads fastest; see `guikv.models.packed`."""
        # Of the weights as they were loaded: packed ones are no parameters any more.
        _ = self.fingerprint, self.parameters
        pack(self.model)

    @property
    def rotates(self) -> bool:
        """Whether cached keys can be moved: not where the frequencies depend on how long the conversation is."""
        return self.rotary.rope_type not in ("dynamic", "longrope")

    def phases(self, moved: Tensor) -> tuple[Tensor, Tensor]:
        """The rotation by `moved` [axes, n] positions: cosines and sines [n, rotary], float32.

        Raises SessionError where keys cannot be moved.
        """
        if not self.rotates:
            raise SessionError(f"keys of a model with {self.rotary.rope_type} positions cannot be moved: keep them")
        # Some kinds of positions scale what they turn; what has been turned once is scaled already.
        with_still = torch.cat([moved, torch.zeros_like(moved[:, :1])], dim=1)
        placed = with_still if len(moved) == 1 else with_still[:, None]
        cos, sin = self.rotary(torch.empty(0, dtype=torch.float32, device=moved.device), placed)
        scale = cos[0, -1]
        return cos[0, :-1] / scale, sin[0, :-1] / scale

    def check_context(self, length: int) -> None:
        """Raise ContextError when rotary positions reach `length`, beyond what the model was made for."""
        if length > self.context:
            raise ContextError(
                f"the conversation reaches position {length:,}, but the model was made for {self.context:,}: give it "
                "fewer or smaller screenshots (--max-pixels, window 'recompute') or a shorter text"
            )

    @cached_property
    def opening_ids(self) -> tuple[int, ...]:
        """Ids of `opening`, with which a reply begins in the cache."""
        return tuple(self.tokenizer.encode(self.opening, add_special_tokens=False)) if self.opening else ()

    @property
    def stop_ids(self) -> frozenset[int]:
        known = self.tokenizer.get_vocab()
        return frozenset(self.tokenizer.convert_tokens_to_ids(name) for name in self.chat.stops if name in known)

    def vision_features(self, pixels: Pixels) -> Features:
        """Features of a screenshot, encoded once per content and size while the vision cache holds them."""
        found = self.vision_cache.get(pixels)
        if found is None:
            found = self.embed_image(pixels)
            self.vision_cache.put(pixels, found)
        return found

    def encode(self, messages: tuple[Message, ...], generate: bool = True) -> Prompt:
        """Messages → tokens in the family's chat layout; `generate` opens the assistant's next turn."""
        return self.encoding.prompt(self, messages, generate)

    def decode_text(self, ids: tuple[int, ...]) -> str:
        """Text of generated ids, special tokens included (some dialects mark boxes with them)."""
        return str(self.tokenizer.decode(list(ids), skip_special_tokens=False))

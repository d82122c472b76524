"""GUI-KV for people who only want the method, on a plain transformers model:

    with compress(model, GuiKV(), budget="20%"):
        model.generate(**inputs)

The prompt is prefilled as always; then, once, the cache is compressed, and decoding goes on over what is left.
Everything is undone on leaving: attention function, hooks, cache class.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from guikv.attention import NAME, WATCH, Watch, watching
from guikv.budget import Budget, parse_budget
from guikv.cache import CompressedCache
from guikv.compression import compress as compress_cache
from guikv.compression import make_plan, tokens_after
from guikv.errors import ModelError, SessionError
from guikv.ledger import FrameInfo, Ledger
from guikv.models.base import Shape, shape_of
from guikv.policies import Policy
from guikv.prompt import NO_FRAME

SUPPORTED = ("qwen2_5_vl", "qwen3_vl")


@contextmanager
def compress(model: Any, policy: Policy, budget: str | Budget = "20%") -> Iterator[Any]:
    """Within the block, `model.generate` compresses its cache after the prefill.

    Raises ModelError for an architecture that is not known, BudgetError for a budget that is none, and from within
    `generate` SessionError for padded batches.
    """
    kind = getattr(getattr(model, "config", None), "model_type", type(model).__name__)
    if kind not in SUPPORTED:
        raise ModelError(f"cannot compress {kind!r}: known architectures are {', '.join(SUPPORTED)}")
    hooks = _Compressor(model, policy, parse_budget(budget) if isinstance(budget, str) else budget)
    text = model.config.text_config
    before = text._attn_implementation
    model.set_attn_implementation({"text_config": NAME})
    handles = [
        model.register_forward_pre_hook(hooks.before_forward, with_kwargs=True),
        model.register_forward_hook(hooks.after_forward, with_kwargs=True, always_call=True),
    ]
    try:
        yield model
    finally:
        hooks.stack.close()
        for handle in handles:
            handle.remove()
        model.set_attn_implementation({"text_config": before})


class _Compressor:
    """The two hooks around the model's forward, and what passes between them."""

    def __init__(self, model: Any, policy: Policy, budget: Budget) -> None:
        self.model, self.policy, self.budget = model, policy, budget
        self.shape: Shape = shape_of(model.config.text_config)
        self.stack = ExitStack()
        self.watch: Watch | None = None
        self.ledger = Ledger()

    def before_forward(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A prefill (nothing cached yet) gets our cache and is watched; a decoding step runs as it is."""
        cache, ids = kwargs.get("past_key_values"), kwargs.get("input_ids")
        if kwargs.get("use_cache") is False or ids is None:
            raise SessionError("compression needs use_cache=True and input_ids")
        if cache is not None and cache.get_seq_length() > 0:
            if not isinstance(cache, CompressedCache):
                raise SessionError("this cache was filled outside of compress(): start with an empty one")
            return args, {**kwargs, WATCH: Watch(cache=cache)}
        cache = CompressedCache(self.shape.layers)
        self.ledger = self._ledger(ids)
        window = self.policy.watched(tokens_after(self.ledger, self.ledger.newest_frame))
        self.watch = Watch(cache=cache, observation_window=window, saliency=self.policy.watched_norms)
        self.stack.enter_context(watching(self.model.model.language_model.layers, self.watch))
        return args, {**kwargs, "past_key_values": cache, "use_cache": True, WATCH: self.watch}

    def after_forward(self, module: nn.Module, args: Any, kwargs: dict[str, Any], output: Any) -> None:
        """After the prefill, evict; the output's logits were computed from the uncompressed cache."""
        watch, self.watch = self.watch, None
        self.stack.close()
        if watch is None or output is None or not self.policy.compresses:
            return
        cache = watch.cache
        assert cache is not None
        with torch.no_grad():
            bytes_per_entry = self.shape.bytes_per_token(cache.layers[0].keys.dtype)
            plan = make_plan(self.ledger, self.budget, "prefill", len(self.ledger) or 1, False, bytes_per_entry)
            assert plan is not None
            compress_cache(cache, self.ledger, watch, watch.stacked_norms(), self.policy, plan, self.shape)

    def _ledger(self, ids: Tensor) -> Ledger:
        """Rows of the first sequence; all of a batch must have their images at the same places."""
        image = ids.eq(self.model.config.image_token_id).cpu()
        if bool((image != image[:1]).any()):
            raise SessionError("sequences of one batch must have their images at the same places")
        # The family puts markers around every image, so a run of image tokens is one screenshot.
        begins = image[0] & ~torch.cat([torch.tensor([False]), image[0, :-1]])
        frames = torch.where(image[0], begins.cumsum(0) - 1, NO_FRAME)
        shots = {number: FrameInfo("", 0, 0) for number in range(int(begins.sum()))}
        count = ids.shape[1]
        none = torch.zeros(count, dtype=torch.bool)
        return Ledger(ids[0].cpu(), torch.arange(count)[None], frames, frames, none, none, shots)

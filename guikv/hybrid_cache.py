"""The cache of a hybrid: entries for its full-attention layers, a recurrent state for its linear ones.

A state has taken in every token and can give none back. What it was at some point can only be known by having kept
it: such *marks* are kept at the ends of prefills and of replies, the turn boundaries of an episode, and that is where
the cache can be cut back to. Between them a session computes again from the mark before. A screenshot cannot be taken
out of a state at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import Cache, LinearAttentionLayer

from guikv.cache import CompressedCache, CompressedLayer
from guikv.errors import SessionError
from guikv.places import Places

LINEAR = "linear_attention"
MARKS = 6
"""Marks that are kept beside the newest one: about three steps of an episode."""

_PARTS = ("conv", "recurrent")

LayerState = tuple[Tensor | None, Tensor | None]
"""A layer's state: the last inputs of its convolution [batch, channels, kernel], and its recurrent state [batch, heads,
key, value]; None before the first token."""


def bytes_of_states(text: Any, dtype: torch.dtype) -> int:
    """Bytes that a session's states take with all their marks, by the decoder's configuration; 0 without linear layers.

    The recurrent part is kept in float32 whatever the model's type.
    """
    layers = list(getattr(text, "layer_types", None) or ()).count(LINEAR)
    if not layers:
        return 0
    keys = text.linear_num_key_heads * text.linear_key_head_dim
    values = text.linear_num_value_heads * text.linear_value_head_dim
    inputs = (2 * keys + values) * text.linear_conv_kernel_dim * dtype.itemsize
    return layers * (inputs + 4 * values * text.linear_key_head_dim) * (MARKS + 2)


class StateLayer(LinearAttentionLayer):
    """A linear layer's state. Updates make new tensors, so that an old state lives on wherever it is held."""

    def update_conv_state(self, conv_states: Tensor, state_idx: int = 0, **kwargs: Any) -> Tensor:
        """Append inputs [batch, channels, new]; return them behind those that the convolution still sees."""
        kernel = int(kwargs["conv_kernel_size"])
        held = self.conv_states[0]
        seen = conv_states if held is None else torch.cat([held, conv_states], dim=-1)
        missing = max(0, kernel - seen.shape[-1])
        self.put((torch.nn.functional.pad(seen, (missing, 0))[..., -kernel:], self.recurrent_states[0]))
        return seen

    def update_recurrent_state(self, recurrent_states: Tensor, state_idx: int = 0, **kwargs: Any) -> Tensor:
        self.put((self.conv_states[0], recurrent_states))
        return recurrent_states

    @property
    def state(self) -> LayerState:
        return self.conv_states[0], self.recurrent_states[0]

    def put(self, state: LayerState) -> None:
        """Make this the layer's state."""
        conv, recurrent = state
        self.conv_states[0], self.recurrent_states[0] = conv, recurrent
        self.is_conv_states_initialized[0] = self.has_previous_state[0] = conv is not None
        self.is_recurrent_states_initialized[0] = recurrent is not None
        if conv is not None:
            self.dtype, self.device, self.conv_kernel_size[0] = conv.dtype, conv.device, conv.shape[-1]

    def own(self) -> None:
        """The step by one token writes into the convolution's inputs: give it a copy that nobody else holds."""
        conv, recurrent = self.state
        self.put((None if conv is None else conv.clone(), recurrent))


class HybridCache(CompressedCache):
    """One `CompressedLayer` or `StateLayer` per decoder layer, as `layer_types` says."""

    forgets = False

    def __init__(self, layer_types: Iterable[str]) -> None:
        made = [StateLayer() if kind == LINEAR else CompressedLayer(n) for n, kind in enumerate(layer_types)]
        Cache.__init__(self, layers=made)
        self.marks: dict[int, tuple[LayerState, ...]] = {}
        self._passing: int | None = None
        """The mark before a token that was given alone: kept only until the next one."""

    @property
    def kv(self) -> list[tuple[int, CompressedLayer]]:
        return [(n, layer) for n, layer in enumerate(self.layers) if isinstance(layer, CompressedLayer)]

    @property
    def states(self) -> list[StateLayer]:
        return [layer for layer in self.layers if isinstance(layer, StateLayer)]

    @property
    def seen(self) -> int:
        """Tokens that went through."""
        return self.kv[0][1].seen

    @property
    def state_bytes(self) -> int:
        """Bytes of the states, those of the marks included; they do not grow with the episode."""
        tensors = [t for mark in (self._now(), *self.marks.values()) for state in mark for t in state if t is not None]
        return sum({t.data_ptr(): t.numel() * t.element_size() for t in tensors}.values())

    def begin(self, new: int) -> None:
        """`new` tokens are about to run through all layers: states that are held elsewhere must not be written."""
        for layer in self.states:
            layer.own()

    def mark(self, passing: bool = False) -> None:
        """As in `CompressedCache`; of marks that are `passing`, only the newest is kept."""
        at = self.seen
        if self._passing is not None and self._passing != at:
            self.marks.pop(self._passing, None)
        self._passing = at if passing and (at not in self.marks or self._passing == at) else None
        self.marks[at] = self._now()
        while len(self.marks) > MARKS + 1:
            del self.marks[min(self.marks)]

    def reachable(self, length: int) -> int:
        if length >= self.seen:
            return length
        return max((at for at in self.marks if at <= length), default=0)

    def truncate(self, length: int) -> None:
        """As in `CompressedCache`: raises SessionError where no mark was kept."""
        for layer, state in zip(self.states, self._at(length), strict=True):
            layer.put(state)
        for _, entries in self.kv:
            if entries.is_initialized:
                entries.truncate(length)
        self.marks = {at: states for at, states in self.marks.items() if at <= length}
        self._passing = self._passing if self._passing in self.marks else None

    def drop(self, gone: Tensor) -> None:
        """Raises SessionError: a state has taken the screenshot in for good."""
        if bool(gone.any()):
            raise SessionError(
                "this model's linear layers cannot forget a screenshot: keep its survivors (window 'shrink') or "
                "compute the conversation anew without it (window 'recompute')"
            )

    def copy(self) -> HybridCache:
        """A cache with the same content and marks; tensors are shared until one of the two changes."""
        other = HybridCache(())
        for layer in self.layers:
            if isinstance(layer, CompressedLayer):
                other.layers.append(layer.copy())
            else:
                twin = StateLayer()
                twin.put(layer.state)
                other.layers.append(twin)
        other.marks, other._passing = dict(self.marks), self._passing
        return other

    def moved(self, device: torch.device, places: Places | None = None) -> HybridCache:
        """As in `CompressedCache`, marks included."""

        def there(state: LayerState) -> LayerState:
            conv, recurrent = state
            return None if conv is None else conv.to(device), None if recurrent is None else recurrent.to(device)

        other = self.copy()
        other.layers = [
            layer.moved(device, places) if isinstance(layer, CompressedLayer) else layer for layer in other.layers
        ]
        for layer in other.states:
            layer.put(there(layer.state))
        other.marks = {at: tuple(map(there, states)) for at, states in self.marks.items()}
        return other

    def extra(self) -> dict[str, Tensor]:
        parts = {}
        for at, states in (("now", self._now()), *self.marks.items()):
            for number, state in enumerate(states):
                for name, tensor in zip(_PARTS, state, strict=True):
                    if tensor is not None:
                        parts[f"{name}.{number}.{at}"] = tensor
        return parts

    def put_extra(self, parts: dict[str, Tensor]) -> None:
        def states(at: int | str) -> tuple[LayerState, ...]:
            found = (tuple(parts.get(f"{name}.{number}.{at}") for name in _PARTS) for number in range(len(self.states)))
            return tuple((conv, recurrent) for conv, recurrent in found)

        for layer, state in zip(self.states, states("now"), strict=True):
            layer.put(state)
        points = {name.rpartition(".")[2] for name in parts} - {"now"}
        self.marks = {int(at): states(at) for at in sorted(points, key=int)}

    def _now(self) -> tuple[LayerState, ...]:
        return tuple(layer.state for layer in self.states)

    def _at(self, length: int) -> tuple[LayerState, ...]:
        if length in self.marks:
            return self.marks[length]
        if length == 0:
            return ((None, None),) * len(self.states)
        if length >= self.seen:
            return self._now()
        points = ", ".join(str(at) for at in sorted({0, *self.marks}))
        raise SessionError(
            f"the linear layers' state at token {length} is not known: this session can be cut back to {points}"
        )

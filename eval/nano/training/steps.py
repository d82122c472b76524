"""One training step of each stage: batch arrays -> loss and the numbers to log."""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from eval.nano.training.config import IDS, TOKENS
from eval.nano.training.fast_forward import FastForward
from eval.nano.training.labels import STEP
from eval.nano.training.losses import (
    AuxiliaryHeads,
    Weights,
    answer_loss,
    attention_loss,
    read_losses,
    read_total,
    unit,
)
from eval.nano.training.tokenizer import build_tokenizer, word_ids

MATCH_LAYER = 1
"""Decoder layer whose attention from a named word to its image tokens is supervised at first."""
ANSWER_LAYER = 1
"""Decoder layer after which the click can be read out of the named word."""


class Stepper:
    """Holds what every step needs."""

    def __init__(self, forward: FastForward, heads: AuxiliaryHeads) -> None:
        self.forward, self.heads = forward, heads
        device = forward.device
        self.vocab = torch.tensor(list(word_ids(build_tokenizer()).values()), device=device)
        size = forward.model.config.text_config.vocab_size
        self.is_word = torch.zeros(size, dtype=torch.bool, device=device).scatter(0, self.vocab, True)
        self.weight = torch.where(self.is_word, 5.0, 1.0)
        digits = torch.tensor([build_tokenizer().token_to_id(d) for d in "0123456789"], device=device)
        self.is_digit = torch.zeros(size, dtype=torch.bool, device=device).scatter(0, digits, True)

    def _tensor(self, values: NDArray[Any]) -> Tensor:
        return torch.from_numpy(values).to(self.forward.device)

    def _see(self, batch: dict[str, Any]) -> tuple[Tensor, dict[str, Tensor]]:
        """Image tokens of the batch's screens and their reading losses."""
        image = self.forward.see(self._tensor(batch["patches"]))
        embeddings = self.forward.text.embed_tokens.weight
        words, clicks = self._tensor(batch["words"]), self._tensor(batch["clicks"])
        return image, read_losses(image, words, clicks, embeddings, self.vocab, self.heads)

    def read(self, batch: dict[str, Any]) -> tuple[Tensor, dict[str, float]]:
        """The vision tower alone."""
        _, parts = self._see(batch)
        return read_total(parts), {k: float(v.detach()) for k, v in parts.items()}

    def act(self, batch: dict[str, Any], weights: Weights) -> tuple[Tensor, dict[str, float]]:
        """Vision and decoder on episodes; `weights.joint` lets the decoder's gradient into the vision tower."""
        if "ids" not in batch:
            loss, logged = self.read(batch)
            return weights.vision * loss, {f"wall_{k}": v for k, v in logged.items()}
        image, parts = self._see(batch)
        ids = self._tensor(batch["ids"])
        rows_of_image = image.flatten(0, 1)[self._tensor(batch["cells"])]
        if not weights.joint:
            rows_of_image = rows_of_image.detach()
        out = self.forward.decode(ids, self._tensor(batch["positions"]), rows_of_image)
        targets = self._tensor(batch["labels"])[:, 1:]
        asked = targets >= 0
        loss, right = answer_loss(self.forward.logits(out.hidden[:, :-1][asked]), targets[asked], self.weight)
        logged = {k: float(v.detach()) for k, v in parts.items()} | {"answer": float(loss.detach())}
        for name, members in (("word_ok", self.is_word), ("digit_ok", self.is_digit)):
            chosen = members[targets[asked]]
            logged[name] = float(right[chosen].float().mean()) if bool(chosen.any()) else 1.0
        every = torch.ones_like(asked).masked_scatter(asked, right).all(-1)
        logged["reply_ok"] = float(every.float().mean())
        naming = self._tensor(batch["naming"])
        if len(naming) and weights.attention + weights.answer > 0:
            extra, more = self._pointing(batch, out, ids, naming, weights)
            loss, logged = loss + extra, logged | more
        return loss + weights.vision * read_total(parts), logged

    def _pointing(
        self, batch: dict[str, Any], out: Any, ids: Tensor, naming: Tensor, weights: Weights
    ) -> tuple[Tensor, dict[str, float]]:
        """Attention and read-out of the click at the named word (naming: row, index, screen, word, x, y)."""
        row, where, screen, word, x, y = naming.T
        cells = self._tensor(batch["cells"])
        shown = self._tensor(batch["words"]).flatten()[cells]
        is_image = ids == IDS["<|image_pad|>"]
        label = torch.full_like(ids, -1).masked_scatter(is_image, shown)
        source = torch.full_like(ids, -1).masked_scatter(is_image, cells // TOKENS)
        before = torch.arange(ids.shape[1], device=ids.device)[None] < where[:, None]
        own = (label[row] == word[:, None]) & (source[row] == screen[:, None]) & before
        seen = own.any(-1)
        attention = attention_loss(out.scores[MATCH_LAYER], own[seen], row[seen], where[seen])
        state = unit(out.layers[ANSWER_LAYER][row, where])
        guess_x, guess_y = self.heads.answer_x(state), self.heads.answer_y(state)
        answer = functional.cross_entropy(guess_x, x // STEP) + functional.cross_entropy(guess_y, y // STEP)
        logged = {"attention": float(torch.exp(-attention.detach())), "pointer": float(answer.detach())}
        return weights.attention * attention + weights.answer * answer, logged

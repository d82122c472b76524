"""Losses of a training step: reading and grounding on image tokens, and the answers of the decoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from eval.nano.training.chat import IDS, build_tokenizer, word_ids
from eval.nano.training.fast_forward import FastForward
from eval.nano.training.model import EMBED_NORM, HIDDEN
from eval.nano.training.samples import IGNORE, Batch
from eval.nano.training.screens import BINS, GRID, STEP, TOKENS

MATCH_LAYER = 1
"""Decoder layer whose attention from a named word to its image tokens is supervised at first."""
ANSWER_LAYER = 1
"""Decoder layer after which the click can be read out of the named word."""
SHARPNESS = 10.0
"""Logit of a word whose embedding stands in an image token at full length; no word counts as half."""


class AuxiliaryHeads(nn.Module):
    """Linear read-outs used by the losses only; they never enter the checkpoint that ships."""

    def __init__(self) -> None:
        super().__init__()
        self.click_x, self.click_y = nn.Linear(HIDDEN, BINS), nn.Linear(HIDDEN, BINS)
        self.row, self.column = nn.Linear(HIDDEN, GRID), nn.Linear(HIDDEN, GRID)
        self.answer_x, self.answer_y = nn.Linear(HIDDEN, BINS), nn.Linear(HIDDEN, BINS)

    @torch.no_grad()
    def start_answers(self) -> None:
        """Read answers as clicks are read from image tokens, whose content attention copies."""
        for answer, click in ((self.answer_x, self.click_x), (self.answer_y, self.click_y)):
            answer.load_state_dict(click.state_dict())


def unit(x: Tensor) -> Tensor:
    """Scale to unit mean square, so that a read-out does not depend on the residual's size."""
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6)


def read_losses(
    image: Tensor, words: Tensor, clicks: Tensor, embeddings: Tensor, vocab: Tensor, heads: AuxiliaryHeads
) -> dict[str, Tensor]:
    """Losses of the vision tower alone.

    image (screens, TOKENS, hidden); words (screens, TOKENS) token ids, BLANK or IGNORE; clicks
    (screens, TOKENS, 2) bins or -1; embeddings (vocab size, hidden); vocab (words,) ids of words.

    An image token is to hold its word's embedding as it is (cross-entropy alone would leave its
    length free, and the decoder matches by dot products), nothing if it shows no word, plus
    whatever tells where its element is clicked and which cell it is.
    """
    amounts = image @ embeddings[vocab].T / EMBED_NORM**2
    logits = torch.cat([SHARPNESS * amounts, torch.full_like(amounts[..., :1], SHARPNESS / 2)], -1)
    index = torch.full((embeddings.shape[0],), -1, device=vocab.device)
    index = index.scatter(0, vocab, torch.arange(len(vocab), device=vocab.device))
    target = torch.where(words >= 0, index[words.clamp(min=0)], len(vocab))
    keep, shown = words != IGNORE, words >= 0
    weight = keep * torch.where(shown, 1.0, 0.2)
    entropy = functional.cross_entropy(logits.flatten(0, 1), target.flatten(), reduction="none").view_as(weight)
    wanted = functional.one_hot(target, len(vocab) + 1)[..., :-1].to(amounts.dtype)
    spread = (amounts - wanted).square().sum(-1)
    total = weight.sum().clamp(min=1)
    out = {"word": (entropy * weight).sum() / total, "length": (spread * weight).sum() / total}
    cells = torch.arange(TOKENS, device=image.device).repeat(image.shape[0])
    flat = unit(image.flatten(0, 1))
    out["place"] = functional.cross_entropy(heads.row(flat), cells // GRID) + functional.cross_entropy(
        heads.column(flat), cells % GRID
    )
    clickable = clicks[..., 0].flatten() >= 0
    if bool(clickable.any()):
        flat, bins = flat[clickable], clicks.flatten(0, 1)[clickable]
        x, y = heads.click_x(flat), heads.click_y(flat)
        out["ground"] = functional.cross_entropy(x, bins[:, 0]) + functional.cross_entropy(y, bins[:, 1])
        near = ((x.argmax(-1) - bins[:, 0]).abs() <= 2) & ((y.argmax(-1) - bins[:, 1]).abs() <= 1)
        out["ground_ok"] = near.float().mean()
    if bool(shown.any()):
        out["read_ok"] = (logits.argmax(-1) == target)[shown].float().mean()
    return out


def read_total(parts: dict[str, Tensor]) -> Tensor:
    """Weighted sum of `read_losses`."""
    total = parts["word"] + 0.3 * parts["length"] + 0.15 * parts["place"]
    return total + 0.3 * parts["ground"] if "ground" in parts else total


@dataclass(frozen=True)
class Weights:
    """How much the auxiliary losses of the decoder count; all but the answers themselves end at zero."""

    attention: float = 0.5
    answer: float = 0.3
    joint: bool = True


def answer_loss(logits: Tensor, targets: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Weighted cross-entropy of reply tokens -> (loss, right per token).

    logits (tokens, vocab), targets (tokens,), weights (vocab,): what a token counts. Naming the wrong element
    spoils the whole action, a digit may, while most other tokens are fixed phrases.
    """
    entropy = functional.cross_entropy(logits, targets, reduction="none")
    weight = weights[targets]
    return (entropy * weight).sum() / weight.sum(), logits.argmax(-1) == targets


def attention_loss(scores: Tensor, own: Tensor, rows: Tensor, where: Tensor) -> Tensor:
    """Share of attention that a thought's word puts outside its own image tokens, as -log.

    scores (batch, kv, group, length, length) masked; own (clicks, length) true at the image
    tokens of the named element; rows, where (clicks,) batch row and index of the word. Only the
    heads of the first key-value group are asked.
    """
    s = scores[rows, 0, :, where]
    inside = torch.logsumexp(s.masked_fill(~own[:, None], -1e4), -1)
    return (torch.logsumexp(s, -1) - inside).mean()


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

    def _see(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Image tokens of the batch's screens and their reading losses."""
        image = self.forward.see(self._tensor(batch["patches"]))
        embeddings = self.forward.text.embed_tokens.weight
        words, clicks = self._tensor(batch["words"]), self._tensor(batch["clicks"])
        return image, read_losses(image, words, clicks, embeddings, self.vocab, self.heads)

    def read(self, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        """The vision tower alone."""
        _, parts = self._see(batch)
        return read_total(parts), {k: float(v.detach()) for k, v in parts.items()}

    def act(self, batch: Batch, weights: Weights) -> tuple[Tensor, dict[str, float]]:
        """Vision and decoder on episodes; `weights.joint` lets the decoder's gradient into the vision tower."""
        if "ids" not in batch:
            loss, logged = self.read(batch)
            return loss, {f"wall_{k}": v for k, v in logged.items()}
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
        return loss + read_total(parts), logged

    def _pointing(
        self, batch: Batch, out: Any, ids: Tensor, naming: Tensor, weights: Weights
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

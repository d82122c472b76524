"""How the next token is chosen: the most likely one, or drawn as transformers' logits processors have it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import (
    LogitsProcessorList,
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from guikv.errors import SessionError


@dataclass(frozen=True)
class Sampling:
    """temperature: 0 takes the most likely token (the others are without effect then, the penalty aside)

    top_p, min_p: in (0, 1] and [0, 1); top_k: 0 is all; repetition_penalty: above 1 makes what was said less likely
    seed: of the draws; None is another one each time
    stop: the reply ends before the first of these texts that it would contain

    Raises SessionError for values that transformers does not take.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        within = {
            "temperature": 0 <= self.temperature <= 100,
            "top_p": 0 < self.top_p <= 1,
            "top_k": self.top_k >= 0,
            "min_p": 0 <= self.min_p < 1,
            "repetition_penalty": 0 < self.repetition_penalty <= 100,
            "seed": self.seed is None or 0 <= self.seed < 2**63,
            "stop": "" not in self.stop,
        }
        for name, right in within.items():
            if not right:
                raise SessionError(f"{name} cannot be {getattr(self, name)!r}")

    @property
    def plain(self) -> bool:
        """Whether the most likely token is taken, from the logits as the model gives them."""
        return not self.temperature and self.repetition_penalty == 1


class Chooser:
    """Chooses the tokens of one reply."""

    def __init__(self, sampling: Sampling, device: torch.device) -> None:
        self.sampling = sampling
        steps = LogitsProcessorList()
        if sampling.repetition_penalty != 1:
            steps.append(RepetitionPenaltyLogitsProcessor(sampling.repetition_penalty))
        if sampling.temperature:
            if sampling.temperature != 1:
                steps.append(TemperatureLogitsWarper(float(sampling.temperature)))
            if sampling.top_k:
                steps.append(TopKLogitsWarper(sampling.top_k))
            if sampling.top_p < 1:
                steps.append(TopPLogitsWarper(sampling.top_p))
            if sampling.min_p:
                steps.append(MinPLogitsWarper(sampling.min_p))
        self.steps = steps
        self.draws = torch.Generator(device)
        if sampling.seed is None:
            self.draws.seed()
        else:
            self.draws.manual_seed(sampling.seed)

    def choose(self, logits: Tensor, before: Tensor) -> Tensor:
        """The next token, [] long. logits: [vocabulary] float32; before: [n] long, all tokens up to here."""
        if self.sampling.plain:
            return logits.argmax()
        scores = self.steps(before.to(logits.device)[None], logits[None])
        if not self.sampling.temperature:
            return scores[0].argmax()
        return torch.multinomial(scores[0].softmax(-1), 1, generator=self.draws)[0]

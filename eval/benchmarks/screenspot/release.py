"""Whether an answer points into the box, as the GUI-KV release finds it.

The rule is the authors'; the release differs in what its readers make of the text. Its ScreenSpot-v2 script scores the
answer before when the model raises an error: nothing of that is left in an answer's text, and a replay ends there with
an error instead.
"""

from __future__ import annotations

from eval.benchmarks.screenspot.gold import Target
from eval.metrics.prediction import Prediction
from eval.metrics.release import read


def release(gold: Target, prediction: Prediction) -> dict[str, float]:
    """`release`, and `release_counted`: 0 where its script for v2 leaves the sample out of its list of results.

    The place of the first call counts, whatever the call is. A call without one, and a text that its readers
    stumble over, are a 0.
    """
    reading = read(prediction, grounding=True)
    point = reading.calls[0].point if reading.calls and not reading.failed else None
    right = point is not None and gold.hit(point, prediction.size)
    return {"release": float(right), "release_counted": float(point is not None)}

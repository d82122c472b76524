"""The chat layout, taken apart from the template that the owners publish."""

from __future__ import annotations

from typing import Any

from guikv.errors import ModelError
from guikv.models.chat import TEMPLATE_FAILURES, Chat, render

STOPS = ("<|im_end|>", "[EOS]")
"""The turn's end, and the end of the sequence, which the owners' generation_config.json names."""

PUBLISHED = Chat(
    turn="<|im_{role}|>{role}<|im_middle|>",
    end="<|im_end|>",
    before="<|media_begin|>image<|media_content|>",
    image="<|media_placeholder|>",
    after="<|media_end|>",
    stops=STOPS,
)
"""What the published template amounts to; used where a copy of the checkpoint has lost it."""

_HERE, _THERE = "(here)", "(there)"
_PICTURE = [{"type": "text", "text": _HERE}, {"type": "image", "image": ""}, {"type": "text", "text": _THERE}]
_TURNS: list[dict[str, Any]] = [
    {"role": "system", "content": _HERE},
    {"role": "user", "content": _PICTURE},
    {"role": "assistant", "content": _HERE},
]
"""A conversation as the owners' examples write them: text alone, or a list of texts and pictures."""


def chat_of(tokenizer: Any, image_id: int) -> Chat:
    """The layout that the tokenizer's template writes, `image_id` being its image token.

    Raises ModelError when the template cannot be taken apart into turns, or the image token is missing.
    """
    image = tokenizer.convert_ids_to_tokens(image_id)
    if image is None or image not in tokenizer.get_added_vocab():
        raise ModelError(f"the tokenizer has no special token {image_id}, which config.json names for image patches")
    chat = PUBLISHED
    if tokenizer.chat_template:
        try:
            chat = _taken_apart(tokenizer, image)
            agrees = render(tokenizer, _TURNS, generate=True) == _written(chat)
        except TEMPLATE_FAILURES as error:
            raise ModelError(f"the chat template cannot be used: {error}") from error
        if not agrees:
            raise ModelError("the chat template cannot be used: its turns depend on each other")
    missing = [token for token in chat.special() if token not in tokenizer.get_added_vocab()]
    if missing or chat.image != image:
        raise ModelError(f"the tokenizer lacks {', '.join(missing) or f'a template for its image token {image}'}")
    return chat


def _taken_apart(tokenizer: Any, image: str) -> Chat:
    """Raises ValueError where a piece is not found."""
    first = render(tokenizer, _TURNS[:1])
    turn, _, end = first.partition(_HERE)
    picture = render(tokenizer, _TURNS[:2])[len(first) :].partition(_HERE)[2].partition(_THERE)[0]
    before, found, after = picture.partition(image)
    if not found or "system" not in turn:
        raise ValueError("it has no place for the role or for a picture")
    turn = turn.replace("{", "{{").replace("}", "}}").replace("system", "{role}")
    return Chat(turn=turn, end=end, before=before, image=image, after=after, stops=STOPS)


def _written(chat: Chat) -> str:
    """The same conversation as our encoder lays it out."""
    picture = f"{_HERE}{chat.before}{chat.image}{chat.after}{_THERE}"
    text = "".join(
        f"{chat.header(turn['role'])}{picture if turn['content'] is _PICTURE else _HERE}{chat.end}" for turn in _TURNS
    )
    return text + chat.header("assistant")

"""OpenCUA's tokenizer, built from `tiktoken.model` and `tokenizer_config.json` as the owners publish them.

`tiktoken.model` has a token's bytes in base64 and its rank, which is its id, on every line; transformers' converter
makes byte pairs of them. The file is read here, since the converter would want the package `tiktoken` for it and says
nothing of damage. The regular expression by which text is cut first stands as a constant in the Python file that the
owners publish beside it, from where it is read as data: the file is parsed, never run.
"""

from __future__ import annotations

import ast
import base64
import binascii
import json
import logging
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from transformers import PreTrainedTokenizerFast
from transformers.convert_slow_tokenizer import TikTokenConverter

from guikv.errors import ModelError

Ranks = dict[bytes, int]

RANKS, SETTINGS, TEMPLATE = "tiktoken.model", "tokenizer_config.json", "chat_template.jinja"
SPECIAL_ROLES = ("bos_token", "eos_token", "unk_token", "pad_token")
MAX_SOURCE = 1 << 20
LETTERS = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]"
SHORT = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"

KIMI = "|".join(
    (
        r"[\p{Han}]+",
        rf"[^\r\n\p{{L}}\p{{N}}]?{LETTERS[0]}*{LETTERS[1]}+{SHORT}",
        rf"[^\r\n\p{{L}}\p{{N}}]?{LETTERS[0]}+{LETTERS[1]}*{SHORT}",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    )
)
"""The pattern of the Kimi tokenizers, which OpenCUA's tokenizer follows."""


def load_tokenizer(path: str) -> PreTrainedTokenizerFast:
    """The tokenizer of the checkpoint folder `path`. Nothing that is published there is run.

    Raises ModelError when a file is missing or damaged.
    """
    folder = Path(path)
    settings = _settings(folder)
    ranks = read_ranks(folder / RANKS)
    module, _, class_name = _published_class(settings).rpartition(".")
    source = _text(folder / f"{module}.py") if module.isidentifier() else None
    template = _text(folder / TEMPLATE)
    return build(
        ranks,
        _added(settings),
        published_pattern(source, class_name),
        {role: _content(settings.get(role)) for role in SPECIAL_ROLES},
        settings.get("chat_template") if template is None else template,
    )


def read_ranks(path: Path) -> Ranks:
    """Token bytes → rank. Raises ModelError for a file that is damaged, has holes, or lacks single bytes."""
    ranks: Ranks = {}
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise ModelError(f"{path.name} cannot be read: {error}") from error
    for number, line in enumerate(lines, 1):
        if line:
            try:
                token, rank = line.split()
                ranks[base64.b64decode(token, validate=True)] = int(rank)
            except (ValueError, binascii.Error) as error:
                raise ModelError(f"{path.name}, line {number}: not a token in base64 and its rank") from error
    if sorted(ranks.values()) != list(range(len(ranks))):
        raise ModelError(f"{path.name}: ranks must be 0, 1, 2, … without holes; the file is damaged")
    missing = sum(bytes([b]) not in ranks for b in range(256))
    if missing:
        raise ModelError(f"{path.name}: {missing} of the 256 single bytes have no token; the file is damaged")
    return ranks


class _Converter(TikTokenConverter):
    """transformers' converter over ranks that were read already."""

    load_tiktoken_bpe = staticmethod(lambda ranks: ranks)


def byte_pairs(ranks: Ranks) -> BPE:
    """The model that encodes as the ranks say; its vocabulary is written in byte-level letters."""
    vocabulary, merges = _Converter().extract_vocab_merges_from_model(ranks)
    # A piece that is a token as a whole is taken at once: some tokens cannot be reached by merging.
    return BPE(vocab=vocabulary, merges=merges, ignore_merges=True)


def build(
    ranks: Ranks,
    added: dict[int, AddedToken],
    pattern: str,
    roles: dict[str, str | None],
    template: str | None = None,
) -> PreTrainedTokenizerFast:
    """Tokenizer of these ranks and added tokens (id → token), which keep their ids.

    Ids between them become reserved tokens. Raises ModelError when an id is taken twice or the pattern is none.
    """
    first = len(ranks)
    low = sorted(i for i in added if i < first)
    if low:
        raise ModelError(f"{SETTINGS}: the added token {added[low[0]].content!r} has the id of a token in {RANKS}")
    model = byte_pairs(ranks)
    tokenizer = Tokenizer(model)
    try:
        cut = pre_tokenizers.Split(Regex(pattern), "isolated")
    except Exception as error:  # the library raises nothing narrower
        raise ModelError(f"the tokenizer's pattern is no regular expression: {error}") from error
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [cut, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    for number in range(first, max(added, default=first - 1) + 1):
        token = added.get(number) or AddedToken(f"<|reserved_token_{number}|>", special=True, normalized=False)
        (tokenizer.add_special_tokens if token.special else tokenizer.add_tokens)([token])
        if tokenizer.token_to_id(token.content) != number:
            raise ModelError(f"{SETTINGS}: the added token {token.content!r} cannot have the id {number}")
    known = {role: text for role, text in roles.items() if text is not None}
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, clean_up_tokenization_spaces=False, **known)
    fast.chat_template = template
    return fast


def _settings(folder: Path) -> dict[str, Any]:
    try:
        settings = json.loads((folder / SETTINGS).read_text())
    except (OSError, ValueError) as error:
        raise ModelError(f"{SETTINGS} cannot be read: {error}") from error
    if not isinstance(settings, dict):
        raise ModelError(f"{SETTINGS} is not a JSON object")
    return settings


def _published_class(settings: dict[str, Any]) -> str:
    """`module.Class` that the owners name for remote code; only the module's file is looked into, as data."""
    named = settings.get("auto_map") or {}
    names = named.get("AutoTokenizer") if isinstance(named, dict) else named
    first = names[0] if isinstance(names, list) and names else names
    return first if isinstance(first, str) else "tokenization_opencua.TikTokenV3"


def _added(settings: dict[str, Any]) -> dict[int, AddedToken]:
    try:
        return {
            int(number): AddedToken(
                token["content"],
                special=bool(token.get("special", True)),
                lstrip=bool(token.get("lstrip")),
                rstrip=bool(token.get("rstrip")),
                single_word=bool(token.get("single_word")),
                normalized=False,
            )
            for number, token in settings["added_tokens_decoder"].items()
        }
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"{SETTINGS}: added_tokens_decoder is missing or damaged ({error!r})") from error


def _content(token: Any) -> str | None:
    text = token.get("content") if isinstance(token, dict) else token
    return text if isinstance(text, str) else None


def _text(path: Path) -> str | None:
    """Text of a file that need not be there."""
    return path.read_text(errors="replace") if path.is_file() else None


def published_pattern(source: str | None, class_name: str) -> str:
    """The constant `pat_str` of the class, or of its base class, in the published file; KIMI where there is none."""
    if source is None:
        return KIMI
    try:
        if len(source) > MAX_SOURCE:
            raise ValueError("it is too long")
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        logging.getLogger(__name__).warning("the published tokenizer code cannot be read (%s): Kimi's cuts", error)
        return KIMI
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    seen: set[str] = set()
    while class_name in classes and class_name not in seen:
        seen.add(class_name)
        node = classes[class_name]
        for line in node.body:
            if _assigned(line) == "pat_str":
                found = _constant(line.value)  # type: ignore[attr-defined]  # both kinds of assignment have it
                if found is not None:
                    return found
        class_name = next((base.id for base in node.bases if isinstance(base, ast.Name)), "")
    logging.getLogger(__name__).warning("the published tokenizer code names no constant pattern: Kimi's cuts")
    return KIMI


def _assigned(line: ast.stmt) -> str | None:
    if isinstance(line, ast.Assign) and len(line.targets) == 1 and isinstance(line.targets[0], ast.Name):
        return line.targets[0].id
    return line.target.id if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) else None


def _constant(value: ast.expr | None) -> str | None:
    """A string constant, or `"…".join([constants])`; None for anything else."""
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return value.value
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr == "join":
        between, parts = _constant(value.func.value), value.args[0] if len(value.args) == 1 else None
        if between is not None and isinstance(parts, ast.List | ast.Tuple):
            texts = [_constant(part) for part in parts.elts]
            return None if None in texts else between.join(t for t in texts if t is not None)
    return None

"""What is wrong with a checkpoint is said in one typed sentence, and before its weights are read."""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer

from guikv.errors import GuikvError, ModelError
from guikv.models import load_model
from guikv.models.checkpoint import INDEX
from tests.guikv.conftest import SECOND


@pytest.fixture
def copy(small: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(small, tmp_path / "copy"))


def edit(path: Path, change: Callable[[Any], None]) -> None:
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


def refused(folder: Path, match: str) -> None:
    with pytest.raises(ModelError, match=match) as caught:
        load_model(str(folder), device="cpu")
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_as_it_is_it_loads(small: Path) -> None:
    assert load_model(str(small), device="cpu").family == "qwen3_vl"


def test_missing_shard(copy: Path) -> None:
    (copy / SECOND).unlink()
    refused(copy, f"1 of 3 weight files are missing, the first is {SECOND}")


def test_no_weights_at_all(copy: Path) -> None:
    for file in (*copy.glob("*.safetensors"), copy / INDEX):
        file.unlink()
    (copy / "pytorch_model.bin").write_bytes(b"\x80\x04")
    refused(copy, "no weights in safetensors files")


def test_truncated_shard(copy: Path) -> None:
    whole = (copy / SECOND).read_bytes()
    (copy / SECOND).write_bytes(whole[:-1])
    refused(copy, rf"{SECOND} is cut short or damaged \({len(whole) - 1:,} bytes\), download it again")
    for length in (0, 4, 100):
        (copy / SECOND).write_bytes(whole[:length])
        refused(copy, f"{SECOND} is cut short or damaged")


@pytest.mark.parametrize(
    "header",
    [b"[]", b'{"a": 3}', b'{"a": {"shape": [1], "dtype": "F32"}}', b"\xff\xfe", b'{"a": {"data_offsets": [0]}}'],
)
def test_damaged_header(copy: Path, header: bytes) -> None:
    (copy / SECOND).write_bytes(struct.pack("<Q", len(header)) + header)
    refused(copy, f"{SECOND} is cut short or damaged")


def test_header_that_claims_to_be_huge(copy: Path) -> None:
    (copy / SECOND).write_bytes(struct.pack("<Q", 1 << 60))
    refused(copy, rf"{SECOND} is cut short or damaged .*: header too large")


@pytest.mark.parametrize("index", ["{", "[]", "{}", '{"weight_map": 3}', '{"weight_map": {"a": "../secret"}}'])
def test_damaged_index(copy: Path, index: str) -> None:
    (copy / INDEX).write_text(index)
    refused(copy, f"{INDEX} is damaged")


def test_a_weight_that_is_not_where_the_index_says(copy: Path) -> None:
    edit(copy / INDEX, lambda index: index["weight_map"].update({"model.extra.weight": SECOND}))
    refused(copy, f"{SECOND} lacks model.extra.weight")


def test_weights_that_the_model_needs_and_nobody_has(copy: Path) -> None:
    """transformers would fill them with random numbers and go on."""
    edit(copy / "config.json", lambda config: config["text_config"].update(num_hidden_layers=4))
    refused(copy, r"lacks \d+ of the model's weights, the first is model\.language_model\.layers\.3")


def test_weights_of_another_size(copy: Path) -> None:
    edit(copy / "config.json", lambda config: config["text_config"].update(intermediate_size=200))
    refused(copy, "gate_proj|shape|size")


@pytest.mark.parametrize("kind", ["llama", "qwen2_vl", "no_such_thing"])
def test_wrong_architecture(copy: Path, kind: str) -> None:
    edit(copy / "config.json", lambda config: config.update(model_type=kind))
    refused(copy, f"no adapter for the architecture '{kind}' .there is: qwen2_5_vl, qwen3_vl")


@pytest.mark.parametrize("config", ["", "{", "[]", "{}", '{"model_type": 3}', "[" * 100_000])
def test_damaged_config(copy: Path, config: str) -> None:
    (copy / "config.json").write_text(config)
    refused(copy, "could not be read as a model")


@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")
@pytest.mark.parametrize("value", [None, "x", -1, 0, [], {}])
@pytest.mark.parametrize("key", ["hidden_size", "num_attention_heads", "rope_parameters", "max_position_embeddings"])
def test_config_values_that_make_no_sense(copy: Path, key: str, value: object) -> None:
    edit(copy / "config.json", lambda config: config["text_config"].update({key: value}))
    with suppress(GuikvError):
        load_model(str(copy), device="cpu")


def test_sliding_windows_are_refused(copy: Path) -> None:
    edit(copy / "config.json", lambda config: config["text_config"].update(layer_types=["sliding_attention"] * 3))
    refused(copy, "sliding attention")


def without(folder: Path, token: str) -> None:
    def change(data: Any) -> None:
        data["added_tokens"] = [t for t in data["added_tokens"] if t["content"] != token]

    edit(folder / "tokenizer.json", change)
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    settings.pop("added_tokens_decoder", None)
    for name in ("additional_special_tokens", "extra_special_tokens"):
        settings[name] = [t for t in settings.get(name) or [] if t != token]
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    assert token not in Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab()


@pytest.mark.parametrize("token", ["<|image_pad|>", "<|vision_start|>", "<|im_start|>"])
def test_tokenizer_without_a_control_token(copy: Path, token: str) -> None:
    without(copy, token)
    refused(copy, r"its tokenizer lacks .*" + token.replace("|", r"\|"))


def test_tokenizer_of_another_model(copy: Path) -> None:
    edit(copy / "config.json", lambda config: config.update(image_token_id=3))
    refused(copy, "in its config.json")


def test_tokenizer_with_more_tokens_than_embeddings(copy: Path) -> None:
    tokenizer = Tokenizer.from_file(str(copy / "tokenizer.json"))
    tokenizer.add_tokens(["more", "than", "there", "is"])
    tokenizer.save(str(copy / "tokenizer.json"))
    refused(copy, "has token 268, but the model has only 265 embeddings")


@pytest.mark.parametrize("name", ["tokenizer.json", "preprocessor_config.json"])
def test_other_files_missing_or_damaged(copy: Path, name: str) -> None:
    for file in copy.glob("processor_config.json"):
        file.rename(copy / "preprocessor_config.json")
    (copy / name).write_text("{")
    refused(copy, "could not be loaded")
    (copy / name).unlink()
    refused(copy, "could not be loaded|its tokenizer lacks")


def test_published_code_is_never_run(copy: Path) -> None:
    (copy / "evil.py").write_text("raise SystemExit('published code was run')\n")
    names = {"AutoConfig": "evil.Config", "AutoModel": "evil.Model", "AutoTokenizer": ["evil.Tokenizer", None]}
    for file in ("config.json", "tokenizer_config.json"):
        edit(copy / file, lambda data: data.update(auto_map=names))
    assert load_model(str(copy), device="cpu").family == "qwen3_vl"


def test_uncached_name_without_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match="'someone/some-model' is no folder here, not in the local cache, and the hub"):
        load_model("someone/some-model")
    with pytest.raises(ModelError, match="neither a folder nor a name on the hub"):
        load_model("a//b c")


def test_cached_name_without_network(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy in the hub's own cache layout loads, and one of which a shard never came is told so."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    home, revision = tmp_path / "models--Owner--UI-TARS-9-Tiny", "0123456789abcdef0123456789abcdef01234567"
    shutil.copytree(small, home / "snapshots" / revision)
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text(revision)
    adapter = load_model("Owner/UI-TARS-9-Tiny", device="cpu")
    assert (adapter.name, adapter.dialect) == ("Owner/UI-TARS-9-Tiny", "ui_tars")
    assert Path(adapter.path) == home / "snapshots" / revision
    (home / "snapshots" / revision / SECOND).unlink()
    with pytest.raises(ModelError, match=f"the first is {SECOND}: download them again"):
        load_model("Owner/UI-TARS-9-Tiny", device="cpu")


def test_a_name_that_the_hub_cannot_be_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub that answers nothing: connection refused."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))

    def refuse(*args: object, **kwargs: object) -> str:
        raise ConnectionError("connection refused")

    monkeypatch.setattr("guikv.models.checkpoint.snapshot_download", refuse)
    with pytest.raises(ModelError, match="the hub cannot be reached: go online, or give a folder"):
        load_model("someone/some-model")

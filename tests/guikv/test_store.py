"""What tells models apart, and settings that are written down and read again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from guikv.budget import Budget
from guikv.errors import GuikvError, ModelError, SessionError
from guikv.models import load_model, version_of
from guikv.models.base import Adapter
from guikv.models.random_weights import random_model
from guikv.policies import POLICIES, GuiKV, make_policy
from guikv.session import Session
from guikv.settings import Settings
from guikv.store import SETTINGS
from tests.guikv.conftest import SECOND, episode


def test_a_fingerprint_is_of_the_weights(small: Path) -> None:
    one, two = (load_model(str(small), device="cpu", dtype="float32") for _ in range(2))
    assert one.fingerprint == two.fingerprint
    assert len(one.fingerprint) == 32
    half = load_model(str(small), device="cpu", dtype="bfloat16")
    assert half.fingerprint != one.fingerprint, "sessions hold entries of one precision"
    assert random_model(seed=1).fingerprint != random_model(seed=2).fingerprint
    before = two.fingerprint
    with torch.no_grad():
        two.model.get_input_embeddings().weight[0, 0] += 1
    assert two.fingerprint == before, "computed once: weights in use do not change"


def test_a_version_tells_checkpoints_apart_before_they_are_loaded(small: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(small, tmp_path / "copy"))
    version = version_of(str(small))
    assert version_of(str(copy)) == version
    assert len(version) == 8
    weights = load_file(copy / SECOND)
    seen = {version}
    for name in sorted(weights):
        save_file({**weights, name: weights[name] + 1}, copy / SECOND, metadata={"format": "pt"})
        seen.add(version_of(str(copy)))
    assert len(seen) == len(weights) + 1, "whichever weight is another one, in a file of the same size"
    save_file(weights, copy / SECOND, metadata={"format": "pt"})
    assert version_of(str(copy)) == version
    (copy / "config.json").write_text((copy / "config.json").read_text() + "\n")
    assert version_of(str(copy)) != version
    (copy / SECOND).write_bytes(b"cut")
    with pytest.raises(ModelError, match=f"{SECOND} is cut short or damaged"):
        version_of(str(copy))


def test_weights_of_any_type_have_a_version(small: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text((small / "config.json").read_text())
    odd = {
        "byte": torch.ones(3, 4, dtype=torch.uint8), "eight": torch.ones(4).to(torch.float8_e4m3fn),
        "flag": torch.ones(2, dtype=torch.bool), "none": torch.ones(0, 3), "one": torch.tensor(1.0),
        "long": torch.ones(2, 2, 2, dtype=torch.int64), "brain": torch.ones(5, dtype=torch.bfloat16),
    }  # fmt: skip
    save_file(odd, tmp_path / "model.safetensors")
    assert len(version_of(str(tmp_path))) == 8


LATER = ("old_pixels", "positions")
"""Settings that sessions saved before they existed lack."""


@pytest.mark.parametrize("name", list(POLICIES))
def test_settings_are_read_as_they_were_written(name: str) -> None:
    settings = Settings(make_policy(name), Budget(64.0, "bytes"), "prefill", "recompute", 3, False, 5000, "compact")
    assert Settings.from_dict(json.loads(json.dumps(settings.to_dict()))) == settings
    older = {key: value for key, value in Settings().to_dict().items() if key not in LATER}
    assert Settings.from_dict({**older, "what else": 1}) == Settings()


def test_settings_that_are_none_are_refused() -> None:
    data = Settings(GuiKV()).to_dict()
    for name in data:
        if name not in LATER:
            with pytest.raises(KeyError, match=name):
                Settings.from_dict({key: value for key, value in data.items() if key != name})
    for name, value in (
        ("window", "wide"),
        ("moment", "never"),
        ("positions", 3),
        ("history", 0),
        ("policy", {"name": "no"}),
    ):
        with pytest.raises(GuikvError):
            Settings.from_dict({**data, name: value})


def test_a_saved_session_that_lacks_a_setting_is_damaged(adapter: Adapter, tmp_path: Path) -> None:
    session = Session(adapter, Settings(history=3))
    session.extend(episode(adapter, 1))
    session.save(tmp_path)
    assert Session.load(tmp_path, adapter).settings == session.settings
    data = json.loads((tmp_path / SETTINGS).read_text())
    for name in ("policy", "budget", "history", "observed", "layers", "screenshots"):
        (tmp_path / SETTINGS).write_text(json.dumps({key: value for key, value in data.items() if key != name}))
        with pytest.raises(SessionError, match="is damaged"):
            Session.load(tmp_path, adapter)

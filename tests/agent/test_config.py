"""Settings: where they come from, which wins, and what is said of wrong ones."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.approval import load_rules
from agent.assemble import cache_policy, loop_settings, new_folder, session_settings
from agent.config import CacheConfig, Config
from agent.errors import ConfigError
from agent.sources import known_keys, resolve
from envs.browser import BrowserOptions
from guikv.policies import GuiKV
from guikv.settings import Settings

CONFIGS = Path(__file__).resolve().parents[2] / "configs"


def test_defaults_are_those_of_the_shipped_file() -> None:
    assert resolve(file=CONFIGS / "default.yaml") == Config() == resolve()


def test_the_shipped_file_names_every_setting() -> None:
    data = yaml.safe_load((CONFIGS / "default.yaml").read_text())
    named = [f"{section}.{key}" for section, keys in data.items() for key in keys]
    assert sorted(named) == sorted(known_keys())


@pytest.mark.parametrize("path", sorted((CONFIGS / "models").glob("*.yaml")), ids=lambda p: p.stem)
def test_shipped_model_files(path: Path) -> None:
    assert resolve(file=path).model.name


def test_the_published_settings_are_the_methods_own() -> None:
    published = resolve(file=CONFIGS / "published.yaml").cache
    assert cache_policy(published) == GuiKV()
    assert cache_policy(Config().cache) != GuiKV()
    assert (published.moment, published.window) == ("prefill", "recompute")


def test_every_setting_of_a_session_is_one_of_the_section_cache() -> None:
    """They are spelled in the configuration and in `Settings`, with the same defaults; nobody copies them by name."""
    names = {f.name for f in fields(Settings)}
    assert names <= set(CacheConfig.model_fields)
    made = session_settings(CacheConfig(preset="published"))
    assert made == Settings()
    odd = CacheConfig(policy="random", budget="3 tokens", moment="prefill", window="recompute", history=2, old_pixels=9)
    odd = odd.model_copy(update={"positions": "compact"})
    found = session_settings(odd)
    assert (found.policy.name, str(found.budget)) == ("random", "3 tokens")
    own = names - {"policy", "budget"}
    assert {name: getattr(found, name) for name in own} == {name: getattr(odd, name) for name in own}


def test_precedence(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("cache: {budget: 10%, history: 2, window: drop}\nlimits: {steps: 7}\n")
    environment = {"GUIKV_CACHE__BUDGET": "15%", "GUIKV_CACHE__HISTORY": "3", "GUIKV_GOLDEN": "/x", "HOME": "/"}
    found = resolve(
        file=file,
        environment=environment,
        assignments=["cache.budget=25%", "browser.viewport=[800, 600]", "cache.options.alpha=1.5"],
        options={"cache.budget": "64MiB", "cache.moment": None},
    )
    assert (found.cache.budget, found.cache.history, found.cache.window) == ("64MiB", 3, "drop")
    assert (found.limits.steps, found.browser.viewport) == (7, (800, 600))
    assert found.cache.options == {"alpha": 1.5}
    assert found.cache.moment == "next_observation"


@pytest.mark.parametrize(
    ("yaml_text", "message"),
    [
        ("cache: {bugdet: 20%}", r"mine\.yaml: there is no setting 'cache\.bugdet' \(the nearest is 'cache\.budget'"),
        ("budget: 20%", r"no setting 'budget' \(the nearest is 'cache\.budget'"),
        ("zzz: 1", r"no setting 'zzz' \(sections are model, cache"),
        ("cache: {budget: 0%}", r"mine\.yaml: cache\.budget: budget '0%' must be above 0%"),
        ("cache: {budget: 300%}", r"cache\.budget: .*at most 100%"),
        ("cache: {budget: lots}", r"write a percentage \(20%\)"),
        ("cache: {history: 0}", r"mine\.yaml: cache\.history: .*greater than or equal to 1, not 0"),
        ("cache: {window: squeeze}", r"'shrink', 'drop' or 'recompute', not 'squeeze'"),
        ("cache: 5", r"cache is a section, not a setting"),
        ("limits: {seconds: .inf}", r"finite number"),
        ("limits: {steps: many}", r"limits\.steps: .*not 'many'"),
        ("browser: {viewport: [1]}", r"browser\.viewport"),
        ("limits: {steps: {a: 1}}", r"limits\.steps: .*valid integer"),
        ("- 1", r"must hold keys with values"),
        ("a: [", r"is not YAML"),
        ("[" * 3000, r"is not YAML"),
    ],
)  # fmt: skip
def test_wrong_files(tmp_path: Path, yaml_text: str, message: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(yaml_text)
    with pytest.raises(ConfigError, match=message):
        resolve(file=file)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml cannot be read"):
        resolve(file=tmp_path / "none.yaml")


def test_wrong_variables_and_assignments_are_named() -> None:
    with pytest.raises(ConfigError, match=r"variable GUIKV_CACHE__BUDGTE: .*nearest is 'cache\.budget'"):
        resolve(environment={"GUIKV_CACHE__BUDGTE": "1"})
    with pytest.raises(ConfigError, match=r"--set cache\.budget: expected key=value"):
        resolve(assignments=["cache.budget"])
    with pytest.raises(ConfigError, match=r"--set limit\.steps=3: .*nearest is 'limits\.steps'"):
        resolve(assignments=["limit.steps=3"])
    with pytest.raises(ConfigError, match=r"model\.name has no keys of its own"):
        resolve(assignments=["model.name.x=3"])
    with pytest.raises(ConfigError, match=r"the command line: limits\.steps"):
        resolve(options={"limits.steps": 0})


def test_a_command_can_have_defaults_of_its_own() -> None:
    base = {"limits.steps": 12, "model.max_new_tokens": 64}
    found = resolve(base=base, assignments=["limits.steps=4"])
    assert (found.limits.steps, found.model.max_new_tokens) == (4, 64)


def test_folders_are_named_after_time_and_task(tmp_path: Path) -> None:
    config = resolve(options={"record.runs": tmp_path})
    name = new_folder(config, "Öffne ../../etc/passwd & click!").name
    assert name.endswith("-ffne-etc-passwd-click")
    assert new_folder(config, "日本").parent == tmp_path
    assert new_folder(resolve(options={"record.out": tmp_path / "x"}), "y") == tmp_path / "x"


def test_limits_reach_the_loop() -> None:
    found = loop_settings(resolve(assignments=["limits.steps=4", "model.max_new_tokens=9", "limits.tokens=99"]))
    assert (found.max_steps, found.max_new_tokens, found.max_tokens) == (4, 9, 99)


def test_the_shipped_rules_can_be_read() -> None:
    assert len(load_rules(CONFIGS / "approval.yaml")) > 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"browser.scale": 0}, r"the command line: browser\.scale: scale is 0\.1 to 10"),
        ({"browser.allow_hosts": ["a b"]}, r"the command line: browser\.allow_hosts: .*not 'a b'"),
        ({"browser.headed": "perhaps"}, r"browser\.headed: .*valid boolean"),
        ({"browser.touch": True}, r"there is no setting 'browser\.touch'"),
        ({"desktop.tell": "me"}, r"there is no setting 'desktop\.tell'"),
        ({"desktop.exec": " ", "desktop.sandbox": "9x9"}, r"desktop\.exec: exec names no program"),
        ({"desktop.watch": True}, r"desktop\.watch: .*belong to a sandbox"),
        ({"desktop.sandbox": "9x9", "desktop.display": ":1"}, r"desktop\.(sandbox|display): a sandbox has a display"),
        ({"desktop.stop_key": "any key"}, r"desktop\.stop_key: .*there is no key"),
        ({"android.adb_port": 0}, r"the command line: android\.adb_port"),
    ],
)  # fmt: skip
def test_what_an_environment_refuses_is_told_with_its_key(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        resolve(options=options)


def test_settings_are_the_environments_own_options() -> None:
    found = resolve(options={"browser.headed": True, "desktop.sandbox": "40x30", "desktop.exec": "a 'b c'"})
    assert isinstance(found.browser, BrowserOptions)
    assert not found.browser.headless
    assert replace(found.browser, url="x").headless is False
    assert (found.desktop.sandbox, found.desktop.words()) == ((40, 30), ("a", "b c"))


def test_an_adb_server_s_port_that_cannot_be_read_stops_only_who_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", "many")
    assert resolve().android is None
    with pytest.raises(ConfigError, match="ANDROID_ADB_SERVER_PORT is a port"):
        resolve(options={"android.serial": "x"})
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", "6000")
    found = resolve(options={"android.serial": "x"}).android
    assert found is not None
    assert found.adb_port == 6000

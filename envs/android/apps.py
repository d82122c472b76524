"""Apps by package or by the name that a person calls them.

Android tells nobody on adb what an app is called on the screen, unless its maker wrote the name down in one language
only. So an app is known by that name where there is one, by a list of well-known apps, and by the words of its package.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from envs.android.device import Device, check
from envs.base import ActionFailed

_LAUNCHER = ("-a", "android.intent.action.MAIN", "-c", "android.intent.category.LAUNCHER")
_PACKAGE = re.compile(r"[A-Za-z]\w*(?:\.[A-Za-z]\w*)+")
_COMPONENT = re.compile(r"^\s*([\w.]+/[\w.$]+)\s*$", re.MULTILINE)
_NOBODY = frozenset(
    {
        "com", "org", "net", "io", "de", "cn", "www", "android", "google", "samsung", "sec", "miui", "xiaomi",
        "huawei", "oppo", "apps", "app", "mobile", "client", "example",
    }
)  # fmt: skip
"""Words of packages that name no app."""
_SIMILAR, _CONTAINS, _CLOSE = 0.75, 0.8, 0.1

KNOWN: dict[str, tuple[str, ...]] = {
    "com.android.chrome": ("chrome", "google chrome", "browser"),
    "com.android.vending": ("play store", "google play"),
    "com.google.android.gm": ("gmail", "google mail"),
    "com.google.android.apps.maps": ("maps", "google maps"),
    "com.google.android.apps.docs": ("drive", "google drive"),
    "com.google.android.apps.nbu.files": ("files",),
    "com.google.android.documentsui": ("files",),
    "com.android.documentsui": ("files",),
    "com.google.android.apps.messaging": ("messages", "sms"),
    "com.samsung.android.messaging": ("messages", "sms"),
    "com.google.android.dialer": ("phone",),
    "com.android.dialer": ("phone",),
    "com.samsung.android.dialer": ("phone",),
    "com.google.android.deskclock": ("clock", "alarm"),
    "com.android.deskclock": ("clock", "alarm"),
    "com.sec.android.app.clockpackage": ("clock", "alarm"),
    "com.android.calculator2": ("calculator",),
    "com.sec.android.app.popupcalculator": ("calculator",),
    "com.android.camera2": ("camera",),
    "com.google.android.googlecamera": ("camera",),
    "com.google.android.googlequicksearchbox": ("google", "search"),
    "com.android.settings": ("settings", "设置"),
    "com.facebook.katana": ("facebook",),
    "com.facebook.orca": ("messenger",),
    "com.twitter.android": ("twitter", "x"),
    "com.zhiliaoapp.musically": ("tiktok",),
    "com.tencent.mm": ("wechat", "微信"),
    "com.eg.android.alipaygphone": ("alipay", "支付宝"),
    "com.ss.android.ugc.aweme": ("douyin", "抖音"),
    "com.microsoft.office.outlook": ("outlook",),
}
"""Packages (lower case) of apps whose package does not say what they are called."""


@dataclass(frozen=True)
class App:
    """Something that can be started: its component (package/activity) and its name, where the device tells one."""

    component: str
    label: str = ""

    @property
    def package(self) -> str:
        return self.component.partition("/")[0]

    @property
    def title(self) -> str:
        return f"{self.label} ({self.package})" if self.label else self.package

    @property
    def names(self) -> frozenset[str]:
        """All that it may be called, folded."""
        if self.label:
            return frozenset({fold(self.label)})
        known = KNOWN.get(self.package.lower())
        if known:
            return frozenset(map(fold, known))
        words = [word for word in self.package.lower().split(".") if word not in _NOBODY]
        return frozenset({*map(fold, words), fold("".join(words))})


def fold(name: str) -> str:
    """Letters and digits only, lower case."""
    return re.sub(r"[\W_]", "", name.casefold())


def open_app(device: Device, name: str) -> App:
    """Start the app with this package or name. Raises ActionFailed where there is none, or more than one."""
    app = _by_package(device, name.strip()) if _PACKAGE.fullmatch(name.strip()) else None
    app = app or find(name, launchable(device))
    check(device.do("am", "start", *_LAUNCHER, "-n", app.component), f"opening {app.title}")
    return app


def launchable(device: Device) -> tuple[App, ...]:
    """Everything that the device's home screen could start."""
    return parse_activities(device.ask("cmd", "package", "query-activities", *_LAUNCHER).text)


def parse_activities(text: str) -> tuple[App, ...]:
    """The answer of `cmd package query-activities`."""
    found: dict[str, App] = {}
    for part in text.split("ActivityInfo:")[1:]:
        name, package = (re.search(rf"^\s*{key}=(\S+)", part, re.MULTILINE) for key in ("name", "packageName"))
        if name is None or package is None:
            continue
        labels = re.findall(r"nonLocalizedLabel=(.*?) icon=", part)
        label = next((label for label in labels if label != "null"), "")
        app = App(f"{package[1]}/{name[1]}", label.strip())
        found.setdefault(app.package, app)
    return tuple(found.values())


def find(name: str, apps: Sequence[App]) -> App:
    """The one app that is meant. Raises ActionFailed."""
    wanted = fold(name)
    if not wanted:
        raise ActionFailed("an app without a name cannot be opened")
    exact = [app for app in apps if wanted in app.names]
    if exact:
        return _single(name, exact)
    scored = sorted(((_score(wanted, app), app) for app in apps), key=lambda pair: -pair[0])
    best = [app for score, app in scored if score >= _SIMILAR and score > scored[0][0] - _CLOSE]
    if best:
        return _single(name, best)
    nearest = ", ".join(app.title for _, app in scored[:5])
    raise ActionFailed(f"there is no app {name[:60]!r}" + (f"; the most similar ones are {nearest}" if nearest else ""))


def _score(wanted: str, app: App) -> float:
    def one(name: str) -> float:
        ratio = difflib.SequenceMatcher(None, wanted, name).ratio()
        return max(ratio, _CONTAINS) if len(wanted) >= 3 and wanted in name else ratio

    return max((one(name) for name in app.names), default=0.0)


def _single(name: str, candidates: list[App]) -> App:
    if len(candidates) > 1:
        listed = ", ".join(sorted(app.title for app in candidates)[:8])
        raise ActionFailed(f"{name[:60]!r} could be any of {listed}; say which, by its package")
    return candidates[0]


def _by_package(device: Device, package: str) -> App | None:
    """None where nothing of that name is installed; it may be a name with a dot in it."""
    answer = device.ask("cmd", "package", "resolve-activity", "--brief", *_LAUNCHER, package).text
    found = _COMPONENT.findall(answer)
    if found:
        return App(found[-1])
    if f"package:{package}" in device.ask("pm", "list", "packages", package).text.split():
        raise ActionFailed(f"the app {package} has nothing to open")
    return None

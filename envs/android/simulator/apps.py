"""The apps of the simulated phone: web pages with an app's names around them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

FOLDER = Path(__file__).with_name("apps")


@dataclass(frozen=True)
class App:
    """`page` is its first page in FOLDER. What is `secure` may be seen on the screen only, not in a picture of it."""

    package: str
    activity: str
    label: str
    page: str
    system: bool = False
    secure: bool = False

    @property
    def component(self) -> str:
        """Short form, as in com.example.notes/.Main."""
        return f"{self.package}/{self.activity}"

    @property
    def full_activity(self) -> str:
        return self.package + self.activity if self.activity.startswith(".") else self.activity

    @property
    def url(self) -> str:
        return (FOLDER / self.page).as_uri()


LAUNCHER = App("com.example.launcher", ".Home", "Home", "launcher.html", system=True)
BROWSER = App("com.example.browser", ".Main", "Browser", "browser.html", system=True)
NOTES = App("com.example.notes", ".NotesActivity", "Notes", "notes.html")
APPS = (
    LAUNCHER,
    BROWSER,
    NOTES,
    App("com.android.settings", ".Settings", "Settings", "settings.html", system=True),
    App("com.example.bank", ".MainActivity", "Bank", "bank.html", secure=True),
    App("com.example.clock", ".ClockActivity", "Clock", "clock.html"),
    App("com.example.clockplus", ".MainActivity", "Clock Plus", "clockplus.html"),
)
RECENTS_PAGE = "recents.html"


def app_of(package: str) -> App | None:
    return next((app for app in APPS if app.package == package), None)


def app_at(url: str) -> App:
    """Whose page this is; a page of nobody else is shown by the browser."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        path = Path(unquote(parts.path))
        if path.parent == FOLDER:
            return next((app for app in APPS if app.page == path.name), LAUNCHER)
    return BROWSER


def by_component(name: str) -> App | None:
    """The app whose activity is meant by "package/.Name" or "package/package.Name"."""
    package, _, activity = name.partition("/")
    app = app_of(package)
    return app if app is not None and activity in (app.activity, app.full_activity) else None

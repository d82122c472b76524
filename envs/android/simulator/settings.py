"""The settings tables of the phone, which also hold which keyboards there are and which is in use."""

from __future__ import annotations

from envs.android.simulator.options import PhoneOptions

ADB_KEYBOARD = "com.android.adbkeyboard/.AdbIME"
LATIN_KEYBOARD = "com.android.inputmethod.latin/.LatinIME"
_CURRENT, _ENABLED, _VOLUME = "default_input_method", "enabled_input_methods", "volume_music_speaker"
_LOUDEST = 15


class Settings:
    """Three tables of text by name: system, secure, global."""

    def __init__(self, options: PhoneOptions) -> None:
        self.methods = (LATIN_KEYBOARD, ADB_KEYBOARD) if options.adb_keyboard else (LATIN_KEYBOARD,)
        self.tables: dict[str, dict[str, str]] = {
            "system": {
                "accelerometer_rotation": "1",
                "user_rotation": "0",
                "screen_brightness": "128",
                "screen_brightness_mode": "0",
                "screen_off_timeout": "60000",
                _VOLUME: "5",
            },
            "secure": {_CURRENT: LATIN_KEYBOARD, _ENABLED: LATIN_KEYBOARD},
            "global": {"device_name": options.name, "airplane_mode_on": "0", "stay_on_while_plugged_in": "0"},
        }

    def get(self, table: str, name: str) -> str | None:
        return self.tables[table].get(name)

    def put(self, table: str, name: str, value: str) -> None:
        self.tables[table][name] = value

    def delete(self, table: str, name: str) -> int:
        """Number of rows deleted."""
        return 0 if self.tables[table].pop(name, None) is None else 1

    def change_volume(self, step: int) -> None:
        """Louder or softer by `step`; 0 is silent."""
        now = int(self.get("system", _VOLUME) or 0)
        self.put("system", _VOLUME, str(min(max(now + step, 0), _LOUDEST) if step else 0))

    @property
    def method(self) -> str:
        """The keyboard in use, or an empty text."""
        chosen = self.get("secure", _CURRENT) or ""
        return chosen if chosen in self.enabled else ""

    @property
    def enabled(self) -> list[str]:
        chosen = (self.get("secure", _ENABLED) or "").split(":")
        return [method for method in self.methods if method in chosen]

    def enable(self, method: str) -> None:
        self.put("secure", _ENABLED, ":".join([*self.enabled, method]))

    def disable(self, method: str) -> None:
        self.put("secure", _ENABLED, ":".join(each for each in self.enabled if each != method))
        if self.get("secure", _CURRENT) == method:
            self.select(LATIN_KEYBOARD)

    def select(self, method: str) -> None:
        self.put("secure", _CURRENT, method)

    def reset_methods(self) -> None:
        self.put("secure", _ENABLED, LATIN_KEYBOARD)
        self.select(LATIN_KEYBOARD)

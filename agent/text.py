"""Short descriptions for people: of actions, sizes and counts."""

from __future__ import annotations

from envs.actions import Action, dump_action, points_of


def plain(text: str, limit: int = 200) -> str:
    """One line that is safe to show in a terminal: control characters could move the cursor."""
    safe = "".join(char if char.isprintable() else " " for char in text)
    safe = " ".join(safe.split())
    return safe if len(safe) <= limit else safe[: limit - 1] + "…"


def describe(action: Action) -> str:
    """`click (140,56)`, `type "hello" ⏎`, `scroll down` …"""
    points = " → ".join(f"({x:.0f},{y:.0f})" for x, y in points_of(action))
    rest = {k: v for k, v in dump_action(action).items() if k not in ("type", "x", "y", "x2", "y2", "path")}
    match action.type:
        case "click":
            button = {"left": "", "middle": "middle ", "right": "right "}[rest["button"]]
            return f"{button}{('', 'double ', 'triple ')[rest['count'] - 1]}click {points}"
        case "type":
            return f'type "{plain(rest["text"], 60)}"{" ⏎" if rest["submit"] else ""}'
        case "scroll":
            return f"scroll {rest['direction']} {points}".rstrip()
        case "keys":
            return f"keys {'+'.join(plain(key, 20) for key in rest['keys'])}"
        case "wait":
            return f"wait {rest['seconds']:g} s"
        case "finish":
            return f'finish {rest["status"]} "{plain(rest["message"], 60)}"'.removesuffix(' ""')
    values = " ".join(plain(str(value), 60) for value in rest.values() if value not in ("", None))
    return " ".join(part for part in (action.type.replace("_", " "), points, values) if part)


def size(count: float) -> str:
    """Bytes as KiB, MiB or GiB."""
    if count == 0:
        return "0"
    mib = count / 2**20
    return f"{mib / 1024:.2f} GiB" if mib >= 1024 else f"{mib:.1f} MiB" if mib >= 0.1 else f"{count / 1024:.0f} KiB"


def share(part: float, whole: float) -> str:
    """`1.2/5.4 MiB`: two sizes in the unit of the larger one."""
    first, second = size(part), size(whole)
    if first.partition(" ")[2] == second.partition(" ")[2]:
        first = first.partition(" ")[0]
    return f"{first}/{second}"


def number(count: float) -> str:
    """1234567 → `1 234 567`."""
    return f"{count:,.0f}".replace(",", " ")

"""`pm`, also known as `cmd package`."""

from __future__ import annotations

from envs.android.simulator import apps
from envs.android.simulator.apps import App
from envs.android.simulator.commands.activity import HOME_CATEGORY, parse
from envs.android.simulator.commands.failure import EXIT, missing, thrown
from envs.android.simulator.control import Output
from envs.android.simulator.handset import Handset

_MATCH = "priority=0 preferredOrder=0 match=0x108000 specificIndex=-1 isDefault=true"


def pm(handset: Handset, arguments: list[str], output: Output) -> int:
    """`pm list packages`, `pm path`, `pm clear`, `pm resolve-activity`, `pm query-activities`."""
    command, *rest = arguments or [""]
    if command == "list" and rest[:1] == ["packages"]:
        return _list(handset, rest[1:], output)
    if command in ("path", "clear"):
        if not rest:
            return missing(output, command, command)
        return (_path if command == "path" else _clear)(handset, rest[-1], output)
    if command in ("resolve-activity", "query-activities"):
        return _activities(command, rest, output)
    output.complain(f"Unknown command: {command}")
    return EXIT


def keyboards(handset: Handset) -> list[str]:
    """Packages of the keyboards."""
    return [method.partition("/")[0] for method in handset.settings.methods]


def apk(package: str, system: bool) -> str:
    return f"/system/app/{package}/base.apk" if system else f"/data/app/{package}-1/base.apk"


def installed(handset: Handset) -> dict[str, bool]:
    """Every package, and whether it came with the system."""
    found = {app.package: app.system for app in apps.APPS}
    return found | {package: package != "com.android.adbkeyboard" for package in keyboards(handset)}


def _list(handset: Handset, rest: list[str], output: Output) -> int:
    options = {each for each in rest if each.startswith("-")}
    wanted = next((each for each in rest if not each.startswith("-") and each != "0"), "")
    for package, system in installed(handset).items():
        if wanted in package and not ("-3" in options and system) and not ("-s" in options and not system):
            output.say(f"package:{apk(package, system)}={package}" if "-f" in options else f"package:{package}")
    return 0


def _path(handset: Handset, package: str, output: Output) -> int:
    found = installed(handset)
    if package not in found:
        return 1
    output.say(f"package:{apk(package, found[package])}")
    return 0


def _clear(handset: Handset, package: str, output: Output) -> int:
    if package not in installed(handset):
        output.say("Failed")
        return 1
    handset.stop(package)
    output.say("Success")
    return 0


def _activities(command: str, rest: list[str], output: Output) -> int:
    brief, components = "--brief" in rest, "--components" in rest
    try:
        intent = parse([each for each in rest if each not in ("--brief", "--components", "--query-flags")])
    except ValueError as error:
        return thrown(output, command, f"java.lang.IllegalArgumentException: {error}")
    named = apps.by_component(intent.component) if intent.component else None
    shown: list[App] = [named] if named else []
    if not intent.component:
        home = intent.category == HOME_CATEGORY
        shown = [app for app in apps.APPS if intent.package in ("", app.package) and (app is apps.LAUNCHER) == home]
        shown = [app for app in shown if not intent.data or app is apps.BROWSER]
    if not shown:
        output.say("No activities found" if command == "query-activities" else "No activity found")
        return 0
    if command == "resolve-activity":
        shown = shown[:1]
    elif not components:
        output.say(f"{len(shown)} activities found:")
    for number, app in enumerate(shown):
        if components:
            output.say(app.component)
        elif brief:
            output.say(f"{_MATCH}\n{app.component}")
        else:
            output.say(_full(app, "" if command == "resolve-activity" else f"  Activity #{number}:\n"))
    return 0


def _full(app: App, head: str) -> str:
    indent = "    " if head else ""
    lines = (
        _MATCH,
        "ActivityInfo:",
        f"  name={app.full_activity}",
        f"  packageName={app.package}",
        f"  labelRes=0x0 nonLocalizedLabel={app.label} icon=0x7f0d0000 banner=0x0",
        "  enabled=true exported=true directBootAware=false",
        "  ApplicationInfo:",
        f"    packageName={app.package}",
        f"    labelRes=0x0 nonLocalizedLabel={app.label} icon=0x7f0d0000 banner=0x0",
        f"    sourceDir={apk(app.package, app.system)}",
    )
    return head + "\n".join(indent + line for line in lines)

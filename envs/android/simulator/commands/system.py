"""`getprop`, `settings` and `ime`."""

from __future__ import annotations

from envs.android.simulator.commands.failure import EXIT, thrown
from envs.android.simulator.control import Output
from envs.android.simulator.handset import Handset
from envs.android.simulator.options import PhoneOptions
from envs.android.simulator.settings import ADB_KEYBOARD

SDK, RELEASE = 34, "14"


def properties(options: PhoneOptions) -> dict[str, str]:
    """Name → value of what `getprop` says."""
    return {
        "ro.product.manufacturer": "guikv",
        "ro.product.brand": "guikv",
        "ro.product.model": options.name,
        "ro.product.name": "simulated_phone",
        "ro.product.device": "simulated",
        "ro.product.cpu.abi": "x86_64",
        "ro.serialno": options.serial,
        "ro.boot.serialno": options.serial,
        "ro.build.version.sdk": str(SDK),
        "ro.build.version.release": RELEASE,
        "ro.sf.lcd_density": str(options.density),
        "sys.boot_completed": "1",
        "persist.sys.locale": "en-US",
    }


def getprop(handset: Handset, arguments: list[str], output: Output) -> int:
    """`getprop [NAME [DEFAULT]]`."""
    found = properties(handset.options)
    if arguments:
        output.say(found.get(arguments[0], arguments[1] if len(arguments) > 1 else ""))
    else:
        for name, value in sorted(found.items()):
            output.say(f"[{name}]: [{value}]")
    return 0


def settings(handset: Handset, arguments: list[str], output: Output) -> int:
    """`settings get|put|delete|list TABLE NAME [VALUE]`."""
    rest = list(arguments)
    if rest[:1] == ["--user"]:
        del rest[:2]
    verb, table, name, value, *_ = [*rest, "", "", "", ""]
    given = len(rest)
    wanted = {"get": 3, "put": 4, "delete": 3, "list": 2}.get(verb)
    tables = handset.settings.tables
    if wanted is None or given < wanted or table not in tables:
        output.complain("Invalid namespace" if wanted and given >= 2 and table not in tables else "Bad arguments")
        return EXIT
    if verb == "get":
        output.say(tables[table].get(name, "null"))
    elif verb == "list":
        for each, text in sorted(tables[table].items()):
            output.say(f"{each}={text}")
    elif verb == "delete":
        output.say(f"Deleted {handset.settings.delete(table, name)} rows")
    else:
        with handset.lock:
            handset.settings.put(table, name, value)
    if verb in ("put", "delete") and table == "system" and name.endswith("_rotation"):
        handset.refit()
    return 0


def ime(handset: Handset, arguments: list[str], output: Output) -> int:
    """`ime list [-a] [-s]`, `ime enable|disable|set ID`, `ime reset`."""
    verb, *rest = arguments or [""]
    if rest[:1] == ["--user"]:
        del rest[:2]
    known = handset.settings
    if verb == "list":
        for method in known.methods if any("a" in each for each in rest) else known.enabled:
            output.say(method if any("s" in each for each in rest) else _described(method))
        return 0
    if verb == "reset":
        known.reset_methods()
        output.say("Reset current and enabled IMEs for user #0")
        return 0
    if verb not in ("enable", "disable", "set"):
        output.complain(f"Unknown command: {verb}")
        return EXIT
    if not rest:
        return thrown(output, verb, f'java.lang.IllegalArgumentException: Argument expected after "{verb}"')
    return _change(handset, verb, rest[0], output)


def _change(handset: Handset, verb: str, name: str, output: Output) -> int:
    known, method = handset.settings, _full(name)
    with handset.lock:
        if verb == "set":
            if method not in known.enabled:
                output.complain(f"Unknown input method {name} cannot be selected for user #0")
                return EXIT
            known.select(method)
            output.say(f"Input method {method} selected for user #0")
        elif method not in known.methods:
            output.complain(f"Unknown input method {name} cannot be {verb}d for user #0")
            return EXIT
        else:
            already = (method in known.enabled) == (verb == "enable")
            if not already:
                known.enable(method) if verb == "enable" else known.disable(method)
            output.say(f"Input method {method}: {'already' if already else 'now'} {verb}d for user #0")
    return 0


def _full(name: str) -> str:
    """The short form of an id that may be written out."""
    package, _, service = name.partition("/")
    return f"{package}/{service.removeprefix(package)}"


def _described(method: str) -> str:
    package, _, service = method.partition("/")
    label = "ADB Keyboard" if method == ADB_KEYBOARD else "Keyboard"
    return (
        f"mId={method} mSettingsActivityName=null mIsVrOnly=false mSupportsSwitchingToNextInputMethod=false\n"
        f"  mIsDefaultResId=0x0\n  Service:\n    priority=0 preferredOrder=0 match=0x108000 specificIndex=-1\n"
        f"    ServiceInfo:\n      name={package}{service} packageName={package}\n"
        f"      labelRes=0x0 nonLocalizedLabel={label} icon=0x0 banner=0x0"
    )

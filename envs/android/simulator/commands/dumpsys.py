"""`dumpsys`: the lines of it that programs look at, worded as Android 14 words them."""

from __future__ import annotations

from collections.abc import Callable

from envs.android.simulator import apps
from envs.android.simulator.commands.dumpwindow import flag, window
from envs.android.simulator.commands.packages import apk, installed
from envs.android.simulator.control import Output
from envs.android.simulator.handset import Handset


def dumpsys(handset: Handset, arguments: list[str], output: Output) -> int:
    """`dumpsys SERVICE [ARGUMENT …]`."""
    rest = [each for each in arguments if each not in ("-t", "-l")]
    name, *more = rest or [""]
    service = _SERVICES.get(name)
    if service is None:
        output.say(f"Can't find service: {name}")
        return 0
    output.say(service(handset, more))
    return 0


def _display(handset: Handset, arguments: list[str]) -> str:
    width, height = handset.size
    upright = handset.upright_size
    state, turn = "ON" if handset.awake else "OFF", handset.rotation
    return f"""DISPLAY MANAGER (dumpsys display)
  mViewports=[DisplayViewport{{type=INTERNAL, valid=true, isActive={flag(handset.awake)}, displayId=0, \
uniqueId='local:0', physicalPort=0, orientation={turn}, logicalFrame=Rect(0, 0 - {width}, {height}), \
physicalFrame=Rect(0, 0 - {width}, {height}), deviceWidth={upright[0]}, deviceHeight={upright[1]}}}]
  mDisplayId=0
    mCurrentOrientation={turn}
    mScreenState={state}
    mBaseDisplayInfo=DisplayInfo{{"Built-in Screen", displayId 0, state {state}, real {width} x {height}, \
rotation {turn}, density {handset.density}}}"""


def _input(handset: Handset, arguments: list[str]) -> str:
    width, height = handset.size
    return f"""INPUT MANAGER (dumpsys input)
  Input Reader State:
    Viewport INTERNAL: displayId=0, uniqueId=local:0, port=0, orientation={handset.rotation}, \
logicalFrame=[0, 0, {width}, {height}], deviceSize=[{width}, {height}], isActive=[1]
    SurfaceOrientation: {handset.rotation}
  Input Dispatcher State:
    FocusedApplications: displayId=0, name='ActivityRecord{{5d6e7f8 u0 {handset.foreground.component} t12}}'"""


def _power(handset: Handset, arguments: list[str]) -> str:
    on = flag(handset.awake)
    return f"""POWER MANAGER (dumpsys power)
  mWakefulness={"Awake" if handset.awake else "Asleep"}
  mWakefulnessChanging=false
  mIsPowered=true
  mBootCompleted=true
  mHoldingWakeLockSuspendBlocker={on}
  mHoldingDisplaySuspendBlocker={on}
Display Power: state={"ON" if handset.awake else "OFF"}"""


def _activity(handset: Handset, arguments: list[str]) -> str:
    app = handset.foreground
    record = f"ActivityRecord{{5d6e7f8 u0 {app.component} t12}}"
    if arguments[:1] == ["top"]:
        return f"TASK 12:{app.package} id=12 userId=0\n  ACTIVITY {app.component} 5d6e7f8 pid=4321 userId=0"
    resumed = f"    mResumedActivity: {record}\n  ResumedActivity: {record}\n" if handset.usable else ""
    return f"""ACTIVITY MANAGER ACTIVITIES (dumpsys activity activities)
Display #0 (activities from top to bottom):
  * Task{{2e4f6a8 #12 type=standard A=10123:{app.package} U=0 visible={flag(handset.usable)}}}
    * Hist  #0: {record}
{resumed}  topResumedActivity={record}
  KeyguardController:
    mKeyguardShowing={flag(handset.locked)}
    mAodShowing=false
    mKeyguardGoingAway=false"""


def _package(handset: Handset, arguments: list[str]) -> str:
    wanted = arguments[0] if arguments else ""
    blocks = []
    for package, system in installed(handset).items():
        if wanted not in ("", package):
            continue
        app = apps.app_of(package)
        lines = [
            f"  Package [{package}] (9c8b7a6):",
            "    userId=10123",
            f"    codePath={apk(package, system).rpartition('/')[0]}",
            "    versionCode=1 minSdk=24 targetSdk=34",
            "    versionName=1.0",
            f"    pkgFlags=[ {'SYSTEM ' if system else ''}HAS_CODE ALLOW_CLEAR_USER_DATA ]",
            "    lastUpdateTime=2024-01-01 12:00:00",
            "    firstInstallTime=2024-01-01 12:00:00",
        ]
        if app is not None:
            lines.insert(1, f"    nonLocalizedLabel={app.label}")
            lines.insert(1, f"    launcherActivity={app.component}")
        blocks.append("\n".join(lines))
    if not blocks:
        return f"Unable to find package: {wanted}"
    return "Packages:\n" + "\n".join(blocks)


def _input_method(handset: Handset, arguments: list[str]) -> str:
    settings = handset.settings
    shown = flag(handset.usable and handset.screen.focused())
    return f"""Current Input Method Manager state:
  mCurMethodId={settings.method} mCurSeq=1 mBoundToMethod=true
  mCurId={settings.method} mHaveConnection=true mInputShown={shown}
  mSystemReady=true mInteractive={flag(handset.awake)}"""


def _battery(handset: Handset, arguments: list[str]) -> str:
    return """Current Battery Service state:
  AC powered: true
  USB powered: false
  Wireless powered: false
  status: 5
  health: 2
  present: true
  level: 100
  scale: 100
  voltage: 5000
  temperature: 250
  technology: Li-ion"""


_SERVICES: dict[str, Callable[[Handset, list[str]], str]] = {
    "activity": _activity,
    "battery": _battery,
    "display": _display,
    "input": _input,
    "input_method": _input_method,
    "package": _package,
    "power": _power,
    "window": window,
}

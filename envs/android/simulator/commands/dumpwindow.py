"""`dumpsys window`: the lock screen, the display and the windows, worded as Android 14 words them."""

from __future__ import annotations

from envs.android.simulator.handset import Handset

_TOKEN = "1a2b3c4"


def flag(value: bool) -> str:
    return "true" if value else "false"


def _focus(handset: Handset) -> str:
    """Name of the window that has the focus."""
    if not handset.usable:
        return "NotificationShade"
    app = handset.foreground
    return f"{app.package}/{app.full_activity}"


def window(handset: Handset, arguments: list[str]) -> str:
    """The parts that are named, or all."""
    parts = {"windows": _windows, "displays": _displays, "policy": _policy}
    wanted = [parts[each] for each in arguments if each in parts] or [_policy, _displays, _windows]
    return "\n".join(part(handset) for part in wanted)


def _policy(handset: Handset) -> str:
    on = "SCREEN_STATE_ON" if handset.awake else "SCREEN_STATE_OFF"
    awake = "INTERACTIVE_STATE_AWAKE" if handset.awake else "INTERACTIVE_STATE_SLEEP"
    return f"""WINDOW MANAGER POLICY STATE (dumpsys window policy)
    mSystemReady=true mSystemBooted=true
    mAwake={flag(handset.awake)}
    mScreenOnEarly={flag(handset.awake)} mScreenOnFully={flag(handset.awake)}
    mShowingLockscreen={flag(handset.locked)} mDreamingLockscreen={flag(handset.locked)}
    isKeyguardShowing={flag(handset.locked)}
    KeyguardServiceDelegate
      showing={flag(handset.locked)}
      showingAndNotOccluded={flag(handset.locked)}
      inputRestricted={flag(handset.locked)}
      occluded=false
      secure={flag(handset.lock_screen.kind == "pin")}
      dreaming=false
      systemIsReady=true
      deviceHasKeyguard={flag(handset.lock_screen.kind != "none")}
      enabled=true
      offReason=OFF_BECAUSE_OF_USER
      currentUser=-10000
      bootCompleted=true
      screenState={on}
      interactiveState={awake}"""


def _displays(handset: Handset) -> str:
    width, height = handset.options.size
    base_width, base_height = handset.upright_size
    now_width, now_height = handset.size
    shown = f"mCurrentFocus=Window{{{_TOKEN} u0 {_focus(handset)}}}"
    app = handset.foreground
    changed = handset.size_override or handset.density_override
    base = f" base={base_width}x{base_height} {handset.density}dpi" if changed else ""
    return f"""WINDOW MANAGER DISPLAY CONTENTS (dumpsys window displays)
  Display: mDisplayId=0
    init={width}x{height} {handset.options.density}dpi{base} cur={now_width}x{now_height} app={now_width}x{now_height}
    deferred=false mLayoutNeeded=false
  {shown}
  mFocusedApp=ActivityRecord{{5d6e7f8 u0 {app.component} t12}}
  DisplayRotation
    mCurrentAppOrientation=SCREEN_ORIENTATION_UNSPECIFIED
    mRotation={handset.rotation} mDeferredRotationPauseCount=0
    mUserRotationMode={"USER_ROTATION_LOCKED" if _fixed(handset) else "USER_ROTATION_FREE"}"""


def _windows(handset: Handset) -> str:
    app, (width, height) = handset.foreground, handset.size
    secure = "SECURE " if app.secure else ""
    visible = flag(handset.awake)
    return f"""WINDOW MANAGER WINDOWS (dumpsys window windows)
  Window #0 Window{{9f8e7d6 u0 NotificationShade}}:
    mDisplayId=0 mSession=Session{{3c2b1a0 1000:u0a10000}}
    mAttrs={{(0,0)(fillxfill) ty=NOTIFICATION_SHADE fmt=TRANSLUCENT
      fl=NOT_FOCUSABLE TOUCHABLE_WHEN_WAKING WATCH_OUTSIDE_TOUCH SPLIT_TOUCH HARDWARE_ACCELERATED}}
    isOnScreen={flag(handset.locked)}
    isVisible={flag(handset.locked and handset.awake)}
  Window #1 Window{{{_TOKEN} u0 {app.package}/{app.full_activity}}}:
    mDisplayId=0 rootTaskId=12 mSession=Session{{7a6b5c4 4321:u0a10123}}
    mOwnerUid=10123 showForAllUsers=false package={app.package} appop=NONE
    mAttrs={{(0,0)(fillxfill) sim={{adjust=resize}} ty=BASE_APPLICATION fmt=TRANSPARENT wanim=0x10302fe
      fl={secure}LAYOUT_IN_SCREEN LAYOUT_INSET_DECOR SPLIT_TOUCH HARDWARE_ACCELERATED DRAWS_SYSTEM_BAR_BACKGROUNDS}}
    Requested w={width} h={height} mLayoutSeq=100
    isOnScreen={visible}
    isVisible={flag(handset.usable)}
  mCurrentFocus=Window{{{_TOKEN} u0 {_focus(handset)}}}
  mFocusedApp=ActivityRecord{{5d6e7f8 u0 {app.component} t12}}"""


def _fixed(handset: Handset) -> bool:
    return handset.settings.get("system", "accelerometer_rotation") == "0"

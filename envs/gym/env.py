"""`GuiEnv`: an environment behind Gymnasium's interface."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
from gymnasium.error import ResetNeeded

from envs.actions import LOOP_ACTIONS, Action, Finish
from envs.base import EnvError, Environment, SetupError, Verdict
from envs.geometry import Size
from envs.gym.acting import Acted, Seconds, do, read_action
from envs.gym.observation import Observation, Picture, observe
from envs.gym.space import ACTION_NAMES, action_space, on_screenshot

Make = Callable[[int], Environment]
Restart = Callable[[Environment, int], None]

_MOST_SEED = 2**31 - 1
_NOTHING = Acted((), "", 0.0, 0.0)


class GuiEnv(gymnasium.Env[Picture, Any]):
    """Observations are pictures (height, width, 3); actions as in `envs.gym`, points in the observation's pixels.

    source: a running environment, or a function that starts one for a seed.
    restart: shows the episode of a seed in the running environment. Without it a function is called for every
        episode anew, and a running environment goes on as it stands.
    size: width and height of the observations; None is the first screenshot's size. Screenshots of another size
        (a turned phone, a resized window) are fitted to it, and points are taken back by the same ratio.
    max_steps: after so many the episode is truncated.
    longest_seconds: of waits, long presses and swipes that are drawn from the space.

    The reward is 1.0 when the environment's verdict is success, and 0.0 otherwise. Where there is no verdict nobody
    checks what was done, so there is no reward, and `finish` ends the episode with what it claims in
    `info["claimed"]`. What ends the environment itself (EnvironmentDied, UserStopped) is raised; `reset` starts a
    new one where `source` is a function. Of a protected screen the picture is black, and `info["hidden"]` says why.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 2}  # noqa: RUF012  the base class's annotation

    def __init__(
        self,
        source: Environment | Make,
        restart: Restart | None = None,
        *,
        size: tuple[int, int] | None = None,
        max_steps: int = 30,
        longest_seconds: float = 5.0,
        render_mode: str | None = None,
    ) -> None:
        """Without `size` the environment is started to see its screen. Raises an EnvError."""
        if render_mode not in (None, "rgb_array"):
            raise SetupError(f"there is no render mode {render_mode!r}", "use rgb_array")
        if max_steps < 1:
            raise SetupError(f"an episode has at least one step, not {max_steps}")
        self.render_mode = render_mode
        self.max_steps = max_steps
        self._make: Make | None
        self.environment: Environment | None
        self.environment, self._make = (source, None) if isinstance(source, Environment) else (None, source)
        self._restart = restart
        self._steps = 0
        self._last: Observation | None = None
        self._running = False
        self._size = self._first_size() if size is None else Size(*size)
        self.action_space = action_space(longest_seconds)
        self.observation_space = gymnasium.spaces.Box(0, 255, (self._size.height, self._size.width, 3), np.uint8)

    def _first_size(self) -> Size:
        try:
            return observe(self._begin(0), None).resize.image
        except BaseException:
            self.close()
            raise

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Picture, dict[str, Any]]:
        """Begin an episode; of `options`, `episode_seed` is used in place of a drawn one. Raises an EnvError."""
        super().reset(seed=seed)
        unknown = sorted(set(options or {}) - {"episode_seed"})
        if unknown:
            raise SetupError(f"reset has no option {unknown[0]!r}", "it has episode_seed")
        drawn = int(self.np_random.integers(_MOST_SEED))
        self._running = False
        environment = self._begin(int((options or {}).get("episode_seed", drawn)))
        seen = self._last = observe(environment, self._size)
        self._steps, self._running = 0, True
        return seen.picture.copy(), self._info(environment, seen, _NOTHING, environment.verdict(), None)

    def step(self, action: Any) -> tuple[Picture, float, bool, bool, dict[str, Any]]:
        """Do one action. Raises InvalidAction, ResetNeeded, and of EnvError what ends the environment."""
        environment, last = self.environment, self._last
        if environment is None or last is None or not self._running:
            raise ResetNeeded("the episode is over or has not begun: call reset()")
        wanted = on_screenshot(read_action(action, self._size), last.resize)
        self._steps += 1
        # Whatever is raised from here on ends the episode.
        self._running = False
        acted = do(environment, wanted)
        verdict = environment.verdict()
        seen = self._last = observe(environment, self._size)
        finished = isinstance(wanted, Finish)
        terminated = finished or (verdict is not None and verdict.done)
        truncated = not terminated and self._steps >= self.max_steps
        self._running = not (terminated or truncated)
        reward = float(terminated and verdict is not None and verdict.success)
        info = self._info(environment, seen, acted, verdict, wanted)
        return seen.picture.copy(), reward, terminated, truncated, info

    def render(self) -> Picture | None:
        """The newest observation in the mode rgb_array, else nothing. Raises ResetNeeded."""
        if self.render_mode is None:
            return None
        if self._last is None:
            raise ResetNeeded("there is nothing to show yet: call reset()")
        return self._last.picture.copy()

    def close(self) -> None:
        """Close the environment, whoever started it; may be called again."""
        environment, self.environment, self._running = self.environment, None, False
        if environment is not None:
            environment.close()

    def _begin(self, seed: int) -> Environment:
        """The environment at the beginning of an episode."""
        if self.environment is not None and (self._restart is not None or self._make is None):
            try:
                if self._restart is not None:
                    self._restart(self.environment, seed)
                return self.environment
            except EnvError:
                # One that died is replaced, where there is a way to.
                if self._make is None:
                    raise
        if self._make is None:
            raise SetupError("the environment has been closed", "give a function that starts one")
        self.close()
        self.environment = self._make(seed)
        return self.environment

    def _info(
        self, environment: Environment, seen: Observation, acted: Acted, verdict: Verdict | None, action: Action | None
    ) -> dict[str, Any]:
        able = environment.capabilities | LOOP_ACTIONS
        return {
            "last_action_error": acted.failure,
            "seconds": Seconds(acted.execute, acted.settle, seen.seconds),
            "events": tuple({"kind": event.kind, "detail": dict(event.detail)} for event in acted.events),
            "context": dict(seen.context),
            "goal": str(getattr(environment, "goal", "")),
            "steps": self._steps,
            "success": None if verdict is None else verdict.success,
            "claimed": action.status if isinstance(action, Finish) else None,
            "hidden": seen.hidden,
            "action_mask": np.array([name in able for name in ACTION_NAMES], np.int8),
        }

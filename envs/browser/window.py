"""A page alone in a window of its own, on a display that others look at: what a desktop or a phone shows."""

from __future__ import annotations

from envs.browser.options import BrowserOptions


def window_args(options: BrowserOptions) -> list[str]:
    """Switches for such a window: its size in CSS pixels, no bars, text drawn as in headless pictures."""
    width, height = options.viewport
    args = [
        # about:blank would open an ordinary window.
        "--app=data:text/html,",
        f"--window-size={width},{height}",
        f"--window-position={options.position[0]},{options.position[1]}",
        f"--force-device-scale-factor={options.scale:g}",
        "--disable-lcd-text",
        # Without it a bar about the sandbox covers the top of the page.
        "--test-type",
        "--hide-crash-restore-bubble",
    ]
    return [*args, "--kiosk"] if options.kiosk else args

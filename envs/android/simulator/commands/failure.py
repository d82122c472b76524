"""How Android's commands say that they failed."""

from __future__ import annotations

from envs.android.simulator.control import Output

EXIT = 255
"""Exit status of a command that ended in an exception (-1)."""


def thrown(output: Output, command: str, error: str) -> int:
    """An exception of the service behind the command; returns the exit status."""
    output.complain(f"\nException occurred while executing '{command}':\n{error}")
    output.complain("\tat android.os.ShellCommand.exec(ShellCommand.java:38)")
    return EXIT


def missing(output: Output, command: str, after: str) -> int:
    """An argument is missing after `after`."""
    return thrown(output, command, f'java.lang.IllegalArgumentException: Argument expected after "{after}"')

"""The phone's files: a private folder that its shell runs in, and the commands on its PATH."""

from __future__ import annotations

import os
import posixpath
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from envs.android.simulator.control import SCRIPT

BASICS = (
    "base64", "basename", "cat", "chmod", "cp", "cut", "date", "dd", "df", "dirname", "du", "env", "expr", "false",
    "find", "grep", "head", "id", "kill", "ls", "md5sum", "mkdir", "mktemp", "mv", "od", "ps", "readlink", "rm",
    "rmdir", "sed", "seq", "sh", "sha256sum", "sleep", "sort", "stat", "tail", "tee", "touch", "tr", "true", "uname",
    "uniq", "wc", "which", "xargs", "yes",
)  # fmt: skip
"""Programs of this machine that an Android shell has too; `echo`, `test` and the like are part of the shell."""

_FOLDERS = ("sdcard", "data/local/tmp")

_BASIC = """\
#!/bin/sh
# Paths of the phone lie in a folder of this machine.
left=$#
while [ $left -gt 0 ]; do
  word=$1
  shift
  case $word in /sdcard | /sdcard/* | /data | /data/*) word={root}$word ;; esac
  set -- "$@" "$word"
  left=$((left - 1))
done
exec {program} "$@"
"""


class Home:
    """A folder that is deleted by `close`.

    Absolute paths below /sdcard and /data are meant as the phone's in `adb push` and `adb pull`, and as arguments of
    the commands; redirections in the shell know only the folder itself, in which every command line starts.
    """

    def __init__(self, commands: Iterable[str]) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="guikv-phone-"))
        self.socket = self.folder / "control"
        self.root = self.folder / "root"
        programs = self.folder / "bin"
        try:
            for name in (*_FOLDERS, "tmp"):
                (self.root / name).mkdir(parents=True)
            programs.mkdir()
            script = self.folder / "command.py"
            script.write_text(SCRIPT, encoding="utf-8")
            call = [sys.executable, "-IS", str(script), str(self.socket)]
            for name in commands:
                _write_program(programs / name, f'#!/bin/sh\nexec {shlex.join([*call, name])} "$@"\n')
            for name in BASICS:
                program = shutil.which(name)
                if program is not None:
                    text = _BASIC.format(root=shlex.quote(str(self.root)), program=shlex.quote(program))
                    _write_program(programs / name, text)
        except BaseException:
            self.close()
            raise
        self.environment = {
            "PATH": str(programs),
            "HOME": str(self.root),
            "TMPDIR": str(self.root / "tmp"),
            "LANG": "C.UTF-8",
            "ANDROID_ROOT": "/system",
            "ANDROID_DATA": "/data",
            "EXTERNAL_STORAGE": "/sdcard",
        }

    def resolve(self, path: str) -> Path:
        """Where a path of the phone lies on this machine; never outside of the folder."""
        return self.root / posixpath.normpath(posixpath.join("/", path)).lstrip("/")

    def close(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def _write_program(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    os.chmod(path, 0o700)

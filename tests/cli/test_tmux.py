"""Ctrl-X in a real tmux: the printed lines run the stop from its copy mode and from any pane."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 10.0
PREFIX, STOP = b"\x02", b"\x18"

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


class Tmux:
    """A server on a socket of its own, a person attached to it, and a ``pmconsole`` that notes its calls.

    A folder that a shell and tmux would each take apart is on the way to it.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.calls = home / "calls"
        stub = home / "it's #{1} $2" / "pmconsole"
        stub.parent.mkdir()
        stub.write_text(f'#!/bin/sh\necho "$PMCONSOLE_HOME" "$@" >>{self.calls}\necho STOPPING\n')
        stub.chmod(0o755)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("TMUX")},
            "PATH": f"{stub.parent}:{os.environ['PATH']}",
            "PMCONSOLE_HOME": str(home / "desk"),
            "TMUX_TMPDIR": str(home),
            "TERM": "xterm-256color",
        }
        self.tell("new-session", "-d", "-x", "80", "-y", "24", "cat")
        self.fd, slave = pty.openpty()
        self.person = subprocess.Popen(
            self.words("attach"),
            env=self.environment,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self.until(lambda: self.tell("list-clients"), "attached")

    def words(self, *arguments: str) -> list[str]:
        return ["tmux", "-L", "stop", "-f", "/dev/null", *arguments]

    def tell(self, *arguments: str) -> str:
        done = subprocess.run(
            self.words(*arguments), env=self.environment, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def type(self, keys: bytes) -> None:
        os.write(self.fd, keys)

    def until(self, condition: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + TIMEOUT_S
        while not condition():
            while select.select([self.fd], [], [], 0)[0]:
                os.read(self.fd, 65536)
            if time.monotonic() > deadline:
                pytest.fail(f"never {what}")
            time.sleep(0.02)

    def copying(self) -> bool:
        return self.tell("display-message", "-p", "#{pane_in_mode}") == "1"

    def called(self) -> list[str]:
        return self.calls.read_text().splitlines() if self.calls.exists() else []

    def close(self) -> None:
        self.tell("kill-server")
        self.person.wait(TIMEOUT_S)
        os.close(self.fd)


@pytest.fixture
def tmux(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tmux]:
    server = Tmux(tmp_path_factory.mktemp("t"))
    try:
        yield server
    finally:
        server.close()


def test_the_printed_lines_stop_from_copy_mode_and_from_any_pane(tmux: Tmux) -> None:
    words = [sys.executable, "-m", "tui.cli", "tmux", "--profile", "live"]
    printed = subprocess.run(words, env=tmux.environment, cwd=ROOT, capture_output=True, check=True).stdout
    lines = tmux.home / "lines.conf"
    lines.write_bytes(printed)
    tmux.tell("set-option", "-g", "assume-paste-time", "0")  # a busy machine reads typed keys together
    tmux.tell("source-file", str(lines))
    for number, mode in enumerate(("emacs", "vi"), 1):
        tmux.tell("set-option", "-g", "mode-keys", mode)
        tmux.type(PREFIX + b"[")
        tmux.until(tmux.copying, f"copied as {mode}")
        tmux.type(STOP)
        tmux.until(lambda number=number: len(tmux.called()) == number, f"stopped while copying as {mode}")
        assert tmux.copying(), "the stop takes nothing away from whoever reads there"
        tmux.type(b"q")
        tmux.until(lambda: not tmux.copying(), "left the copy mode")
    tmux.tell("split-window", "cat")
    tmux.type(PREFIX + STOP)
    tmux.until(lambda: len(tmux.called()) == 3, "stopped from another pane")
    assert tmux.called() == [f"{tmux.home / 'desk'} flatten --profile live"] * 3
    assert not tmux.copying(), "nothing opens over the pane in use"

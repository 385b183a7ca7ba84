"""The demo's simulator with a desk that has just read all of its past, by the demo's own commands: it takes
minutes."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

DAYS = "400"
"""Of the simulator's 420 in the past: none too near to its beginning."""


class Desk(NamedTuple):
    home: Path

    @property
    def place(self) -> Path:
        return self.home / "demo"

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"PMCONSOLE_HOME": str(self.home)}

    def run(self, *verb: str) -> None:
        subprocess.run(command(*verb), env=self.environment, check=True)

    def histories(self) -> Path:
        (found,) = (self.place / "training").iterdir()
        return found


def command(*verb: str) -> list[str]:
    return [sys.executable, "-m", "tui.cli", *verb]


@contextlib.contextmanager
def updated_desk() -> Iterator[Desk]:
    """The simulator runs meanwhile."""
    with tempfile.TemporaryDirectory() as home:
        desk = Desk(Path(home))
        desk.place.mkdir(mode=0o700)
        ready, keys = desk.place / "sim.json", desk.place / "sim-keys"
        served = subprocess.Popen(
            command("sim", "--ready-file", str(ready), "--keys-dir", str(keys)),
            env=desk.environment,
            stdout=subprocess.DEVNULL,
        )
        try:
            while not ready.exists():
                time.sleep(0.1)
            desk.run("models", "update", "--days", DAYS)
            yield desk
        finally:
            served.terminate()
            served.wait()

"""One bug at a time in a copy of the tree: does anything notice?"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import msgspec

from tests.mutants.mutant import Mutant

TREE = Path(__file__).parents[2]
PARTS = ("core", "tui", "themes", "tests")
HEALTHY_S = 20
"""How long the simulation looks at the tree without a bug, to see that it has nothing to say."""
GRACE_S = 60.0
"""Beyond its budget a look that has not ended hangs, which is noticed too."""

_PYTEST = ("-m", "pytest", "-q", "-x", "-p", "no:cacheprovider")
_SIMULATION = ("-m", "tests.mutants.look", "--seconds")
_FAILED = re.compile(r"^FAILED (\S+)", re.MULTILINE)


class Caught(msgspec.Struct, frozen=True):
    by: str
    seconds: float


class Survived(msgspec.Struct, frozen=True):
    seconds: float


Found = Caught | Survived


class HuntError(Exception):
    """The tree fails without any bug, so nothing can be learned from it."""


def copy_tree(to: Path) -> Path:
    """Everything a test run reads, without what earlier runs compiled."""
    for part in PARTS:
        shutil.copytree(TREE / part, to / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(TREE / "pyproject.toml", to)
    return to


class Hunt:
    """Hunts bugs in one copy."""

    def __init__(self, copy: Path, budget_s: int) -> None:
        self._copy, self._budget_s = copy, budget_s

    def check_health(self, mutants: Iterable[Mutant]) -> None:
        """Raises ``HuntError`` unless everything that will look is content with the tree as it is."""
        named = sorted({test for mutant in mutants for test in mutant.tests})
        if named and (said := self._look(*_PYTEST, *named)):
            raise HuntError(f"tests fail without any bug: {said}")
        if any(not m.tests for m in mutants) and (said := self._look(*_SIMULATION, str(HEALTHY_S))):
            raise HuntError(f"the simulation fails without any bug: {said}")

    def hunt(self, mutant: Mutant) -> Found:
        began = time.monotonic()
        spoiled = mutant.applied(self._copy)
        sound = {path: (self._copy / path).read_text() for path in spoiled}
        for path, text in spoiled.items():
            (self._copy / path).write_text(text)
        try:
            if mutant.tests:
                said = self._look(*_PYTEST, *mutant.tests)
            else:
                said = self._look(*_SIMULATION, str(self._budget_s))
        finally:
            for path, text in sound.items():
                (self._copy / path).write_text(text)
        seconds = time.monotonic() - began
        return Caught(said, seconds) if said else Survived(seconds)

    def _look(self, *what: str) -> str:
        """What failed, in a few words; empty when nothing did."""
        # Compiled files are told apart by size and second: a bug of the same length could run unseen.
        known = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            done = subprocess.run(
                [sys.executable, *what],
                cwd=self._copy,
                env=known,
                capture_output=True,
                text=True,
                timeout=self._budget_s + GRACE_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return "a run that does not end"
        if done.returncode == 0:
            return ""
        if named := _FAILED.search(done.stdout):
            return named[1]
        lines = (done.stdout + done.stderr).strip().splitlines()
        return lines[-1][:200] if lines else f"exit {done.returncode}"

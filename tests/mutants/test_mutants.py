"""Every mutant still fits the code it spoils, and spoils no more than it says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutants.mutant import Change, Mutant, MutantError, read_all

TREE = Path(__file__).parents[2]
MUTANTS = read_all()


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_fits(mutant: Mutant) -> None:
    assert mutant.changes, "it changes nothing"
    for path, spoiled in mutant.applied(TREE).items():
        assert spoiled != (TREE / path).read_text()


def test_no_mutant_is_caught_by_a_name_that_is_not_there(tmp_path: Path) -> None:
    """A bug that breaks on its own spelling proves nothing about the tests that catch it."""
    for number, mutant in enumerate(MUTANTS):
        for path, spoiled in mutant.applied(TREE).items():
            (tmp_path / f"{number}_{Path(path).stem}_{mutant.name}.py").write_text(spoiled)
    checked = subprocess.run(
        [
            sys.executable,
            "-m",
            "ruff",
            "check",
            "--isolated",
            "--select",
            "F821,E9",
            "--quiet",
            str(tmp_path),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


def test_there_are_enough_of_them() -> None:
    assert len(MUTANTS) >= 30
    assert sum(not m.unseen for m in MUTANTS) >= 20


def test_whoever_the_simulation_cannot_see_says_why_and_who_can() -> None:
    for mutant in MUTANTS:
        assert bool(mutant.unseen) == bool(mutant.tests), mutant.name
        for named in mutant.tests:
            assert (TREE / named.partition("::")[0]).exists(), f"{mutant.name}: {named}"


def test_a_mutant_that_fits_no_longer_says_so() -> None:
    gone = Mutant("gone", "", (Change("core/execution/gateway.py", "no such text\n", ""),))
    with pytest.raises(MutantError, match="0 times"):
        gone.applied(TREE)

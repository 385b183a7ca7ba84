"""What a process loads: the engine no terminal toolkit, a CLI verb nothing heavy."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
HEAVY = ("scipy.stats", "pandas", "textual")


def loaded_by(statement: str) -> set[str]:
    script = f"import sys, json\n{statement}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=CHECKOUT,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("statement", ["import core.control.process", "import core.sim.process"])
def test_the_engine_and_the_simulator_load_no_terminal(statement: str) -> None:
    loaded = loaded_by(statement)
    assert not loaded.intersection((*HEAVY, "scipy.optimize"))
    assert not [name for name in loaded if name.startswith(("core.training", "core.models.evaluation"))]


def test_a_verb_starts_without_what_it_does_not_need() -> None:
    modules = loaded_by("import tui.cli, tui.verbs")
    assert not modules.intersection(
        {*HEAVY, "httpx", "numpy", "scipy", "asyncio", "core.engine.engine", "uvicorn"}
    )


def test_the_console_loads_no_engine() -> None:
    modules = loaded_by("import tui.app")
    assert not modules.intersection(
        {"httpx", "numpy", "scipy", "sqlite3", "cryptography", "core.engine.engine"}
    )

"""A few seeds of the virtual world: the desk's belief stays with the venue's truth under every fault."""

from __future__ import annotations

import pytest

from tests.simulation.run import Script, run
from tests.simulation.seeds import as_line, kept


@pytest.mark.parametrize("seed", [1, 3, 5])
def test_a_seed_breaks_no_promise(seed: int) -> None:
    result = run(Script(seed, active_s=60))
    assert result.broken is None, result.broken
    assert result.lifecycles > 20


@pytest.mark.parametrize("script", kept(), ids=lambda script: f"seed {script.seed}")
def test_what_once_broke_holds(script: Script) -> None:
    result = run(script)
    assert result.broken is None, as_line(script, result.broken.what)

"""A few seeds of the virtual world: the desk's belief stays with the venue's truth under every fault."""

from __future__ import annotations

import pytest

from tests.simulation.run import Script, run
from tests.simulation.seeds import as_line, kept

SLICE = (1, 2, 3, 4)


def test_a_slice_of_the_campaign_breaks_no_promise() -> None:
    results = [run(Script(seed, active_s=20)) for seed in SLICE]
    for result in results:
        assert result.broken is None, as_line(result.script, result.broken.what)
    assert sum(result.lifecycles for result in results) > 100


@pytest.mark.parametrize("script", kept(), ids=lambda script: f"seed {script.seed}")
def test_what_once_broke_holds(script: Script) -> None:
    result = run(script)
    assert result.broken is None, as_line(script, result.broken.what)

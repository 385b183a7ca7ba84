"""What comes with the demo of its other families is what the desk's own code makes of the simulated past."""

from __future__ import annotations

from datetime import UTC, date, datetime

import msgspec
import pytest

from core.control.simulated_past import PastLooks, SimulatedPast
from core.sim.new_york import DAY_MS
from tests.training.build_evidence import FILE, SEED, Crowd
from tests.training.family_looks import Past

NEWEST_DAYS = {"KXCPI": 100}
"""Of others a fortnight tells."""
GROUPS = msgspec.json.decode(FILE.read_bytes(), type=SimulatedPast).groups
PACKAGED = {group.series[0]: group for group in GROUPS}


def looked(series: str) -> tuple[PastLooks, PastLooks]:
    """What is packaged of a series, and its newest part made anew."""
    packaged = PACKAGED[series]
    newest = date.fromisoformat(packaged.looks[-1].day)
    wall_ms = int(datetime(newest.year, newest.month, newest.day, tzinfo=UTC).timestamp()) * 1000 + DAY_MS
    past = Past(Crowd(SEED, wall_ms).weather, SEED, wall_ms)
    (kind,) = [kind for kind in past.kinds() if kind.family.series.ticker == series]
    return packaged, past.looks(kind._replace(days=NEWEST_DAYS.get(series, 14)))


@pytest.mark.parametrize("series", ["KXINX", "KXEURUSD", "KXBTC15M", "KXNBAGAME", "KXCPI"])
def test_the_packaged_looks_are_made_of_the_simulators_own_days(series: str) -> None:
    packaged, made = looked(series)
    assert len(made.looks) >= 2
    assert set(made.looks) <= set(packaged.looks), "python -m tests.training.build_evidence makes them anew"
    assert msgspec.structs.replace(made, looks=()) == msgspec.structs.replace(packaged, looks=())


def test_a_look_holds_the_whole_event() -> None:
    for group in GROUPS:
        for look in group.looks:
            assert len(look.alone) == len(look.market) and set(look.won) <= set(range(len(look.alone)))
            if group.exclusive:
                assert len(look.won) == 1, group.series
                assert sum(look.alone) == pytest.approx(1, abs=1e-3) == sum(look.market)

"""The desk dies in the middle of things and the next one neither repeats, loses nor invents anything."""

from __future__ import annotations

import pytest

from core.execution.points import Point
from core.sim.plan import RULED
from tests.simulation.deaths import pair, single
from tests.simulation.kills import Kill
from tests.simulation.run import WHIMS, Script, run

ONE_VENUE, BOTH_VENUES = 1, 2
SLICE = (
    (Point.SEND_AFTER_COMMIT, BOTH_VENUES),
    (Point.SEND_AFTER_BYTES, BOTH_VENUES),
    (Point.CANCEL_AFTER_BYTES, BOTH_VENUES),
    (Point.HALT_CANCELLING, BOTH_VENUES),
    (Point.FLATTEN_EXIT_SENT, ONE_VENUE),
)
"""Where to die, in which seed. ``make kill9`` dies at every point twenty times, on faulty networks."""
CALM = (*(kind.name for kind in RULED), WHIMS)
"""No fault but the death."""


@pytest.mark.parametrize(("point", "seed"), SLICE, ids=[point.value for point, _ in SLICE])
def test_a_death_costs_no_order_and_no_fill(point: Point, seed: int) -> None:
    result = run(Script(seed, 25, without=CALM, die=(Kill(point, 1),)))
    assert result.broken is None, result.broken
    assert result.kills == {point.value: 1}


def test_a_second_death_during_the_repair_changes_nothing() -> None:
    die = (Kill(Point.SEND_AFTER_BYTES, 1), Kill(Point.START_DOUBTED, 1))
    result = run(Script(BOTH_VENUES, 25, without=CALM, die=die))
    assert result.broken is None, result.broken
    assert result.kills == {"send.after_bytes": 1, "start.doubted": 1}


def test_every_point_has_a_death_and_a_start_only_a_second_one() -> None:
    for point in Point:
        assert single(point, 1).die[-1].point is point
        assert len(single(point, 1).die) == (2 if point.value.startswith("start") else 1)
    assert len(pair(1).die) == 2

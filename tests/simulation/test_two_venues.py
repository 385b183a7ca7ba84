"""Worlds of two venues: each is judged by its own truth, and neither stops the other."""

from __future__ import annotations

from core.domain.market import Venue
from core.sim.fates import PLAIN
from core.sim.fault_kinds import POLYMARKET, FaultKind, Matter, Point
from tests.simulation.outage import SLICE_MS, Silence
from tests.simulation.run import GHOSTS, Script, run
from tests.simulation.seeds import as_line


def test_a_silent_polymarket_stops_no_entry_at_kalshi() -> None:
    """The other way round is one of the slice's seeds."""
    script = Script(12, active_s=25, calm_s=0)
    silent = [silence.venue for seed in (4, 12) if (silence := Script(seed).silence) is not None]
    assert silent == [Venue.KALSHI, Venue.POLYMARKET]
    result = run(script)
    assert result.broken is None, as_line(script, result.broken.what)


def test_a_silence_is_of_one_venue_and_of_its_time() -> None:
    silence = Silence(Venue.KALSHI, 1_000, 2_000)
    silent, other = silence.plan_of(Venue.KALSHI), silence.plan_of(Venue.POLYMARKET)

    def heard(at_ms: int) -> tuple[bool, bool]:
        fates = [plan._fate(Point.REQUEST, Matter.CREATE, at_ms) for plan in (silent, other)]
        return fates[0] is PLAIN, fates[1] is PLAIN

    assert [heard(at_ms) for at_ms in (999, 1_000, 1_999, 2_000)] == [
        (True, True),
        (False, True),
        (False, True),
        (True, True),
    ]


def test_a_stretch_without_an_entry_is_a_violation() -> None:
    silence = Silence(Venue.KALSHI, 5_000, 5_000 + 2 * SLICE_MS)
    assert silence.broken([6_000, 16_000]) is None
    assert silence.broken([6_000, 26_000]) is not None, "what leaves afterwards is too late"
    assert silence.broken([4_000, 16_000]) is not None
    assert silence.broken([6_000], excused_ms=[16_000]) is None, "something else held them back"


def test_trades_that_fail_are_met_often_and_on_one_venue_alone() -> None:
    ghostly = [seed for seed in range(1, 9) if set(GHOSTS) <= set(Script(seed).swarm().habits)]
    assert ghostly == [2, 6]
    one, other = Script(2).plans()
    assert other is not None and not POLYMARKET & {habit.kind for habit in one.swarm.habits}
    assert FaultKind.X10 in {habit.kind for habit in other.swarm.habits}
    assert Script(1).plans()[1] is None

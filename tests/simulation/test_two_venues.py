"""Worlds of two venues: each is judged by its own truth, and neither stops the other."""

from __future__ import annotations

from core.domain.market import Venue
from core.sim.fates import PLAIN
from core.sim.fault_kinds import POLYMARKET, FaultKind, Matter, Point
from tests.simulation.chance import Chance
from tests.simulation.outage import SLICE_MS, Silence
from tests.simulation.polymarket.manner import DELAYS_S, INVALID_SHARES, Manner
from tests.simulation.polymarket.site import PolymarketSite
from tests.simulation.polymarket.ways import Way
from tests.simulation.run import GHOSTS, Script, run
from tests.simulation.seeds import as_line
from tests.virtual import VirtualClock, VirtualLoop, run_virtual


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


def test_worlds_delay_and_hold_takers_in_every_way() -> None:
    manners = [Manner.drawn(Chance(seed).stream("polymarket manner")) for seed in range(0, 120, 2)]
    delaying = [manner for manner in manners if manner.delay_s]
    assert {manner.delay_s for manner in delaying} == set(DELAYS_S)
    assert {manner.delays.unseen for manner in delaying} == {False, True}
    assert {manner.delays.invalid_share for manner in delaying} == set(INVALID_SHARES)
    assert {(bool(manner.delay_s), manner.holds) for manner in manners} == {
        (False, False),
        (False, True),
        (True, False),
        (True, True),
    }


def test_the_edge_lets_a_request_wait_before_it_refuses_one() -> None:
    async def main(loop: VirtualLoop) -> None:
        site = PolymarketSite(Chance(2), VirtualClock(loop))
        site.venue.edge.squeeze = 1_000.0  # nine requests at once, and another one every 1.1 s
        statuses = [_served(site) for _ in range(11)]
        assert statuses == [([], 200)] * 9 + [([1_111], 200), ([], 429)]
        assert site.ways == {Way.QUEUED: 1, Way.CROWDED_OUT: 1}

    run_virtual(main)


def _served(site: PolymarketSite) -> tuple[list[int], int]:
    """The waits of one request and the status it ends with."""
    steps, waits = site.handle("GET", "/time", "", {}, b""), list[int]()
    while True:
        try:
            waits.append(next(steps))
        except StopIteration as done:
            return waits, done.value.status

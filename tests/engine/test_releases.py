"""Economic releases at the desk: quotes pulled before one, entries back after it, and what is awaited."""

from __future__ import annotations

import asyncio

from core.config.settings import EngineSettings, ReleaseSettings, Settings
from core.control.snapshot import Snapshot
from core.engine.operator import VIEWER_REFUSED
from core.engine.state import AlarmLevel
from core.feeds.feed import Stamp
from core.feeds.quotes import SeriesPoint
from core.feeds.releases import Calendar, Certainty, Due
from core.journal.events import Kind
from core.risk.releases import ReleaseState
from tests.execution.bench import HOT, TRADER, VIEWER, Bench, running
from tests.virtual import START_WALL_MS, VirtualLoop, run_virtual

CPI = {"KXHIGHNY": ("CPI",)}
"""As if the price index moved New York's weather."""
DAY_S = 86_400
SETTINGS = Settings(
    engine=EngineSettings(confirm_above=100), releases=ReleaseSettings(before_s=60, after_s=120)
)


def calendar(bench: Bench, *in_s: int, days_old: int = 0) -> None:
    """The bureau's calendar: one release in so many seconds, and each further one."""
    now = bench.clock.wall_ms()
    due = tuple(Due("CPI", now + s * 1000, Certainty.STATED, "BLS") for s in (*in_s, 30 * DAY_S))
    stamp = Stamp(now - days_old * DAY_S * 1000, now, 0)
    bench.feed.sink(Calendar("BLS", ("CPI",), due, stamp, 35 * DAY_S))


def state(bench: Bench) -> ReleaseState:
    (market,) = [m.market for m in bench.engine.state.markets.values() if m.market.ticker == HOT]
    return bench.engine.desk.releases.against(market).state


def rung(bench: Bench, words: str) -> bool:
    alarms = bench.engine.state.alarms.values()
    return any(a.level is AlarmLevel.CHECK and a.active and words in a.what for a in alarms)


def test_entries_are_pulled_before_a_release_and_exits_stay() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, settings=SETTINGS, affected=CPI) as bench:
            calendar(bench, 200)
            entry = await bench.sent()
            client = entry.intent.client_order_id
            bench.venue.trade(entry.order_id, 4)  # the rest of it rests on
            calendar(bench, 70)
            await asyncio.sleep(8)
            assert bench.order(client).live
            await bench.until(lambda: not bench.order(client).live, "pulled", 4)
            assert state(bench) is ReleaseState.BLACKOUT
            card = bench.engine.desk.approvals.of(HOT)
            assert card is None or not card.verdict.passed
            bench.venue.quote(HOT, 70, 72)  # worth selling what is held
            exit_card = await bench.card(closes=True)
            assert bench.approve(exit_card).accepted

    run_virtual(main)


def test_what_was_due_is_awaited_until_a_person_confirms_it_also_after_a_restart() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, settings=SETTINGS, affected=CPI) as bench:
            calendar(bench, -600)
            await asyncio.sleep(1.5)
            assert state(bench) is ReleaseState.PENDING
            assert rung(bench, "CPI was due Nov 22 14:50 ET and has not come")
            market = bench.engine.state.markets[HOT]
            await bench.until(lambda: "G35 CPI was due" in market.why_not, "the gate's word")
            assert bench.engine.confirm_release("CPI", VIEWER) is VIEWER_REFUSED
            assert "use CPI, JOBS, GDP, FOMC" in bench.engine.confirm_release("RETAIL", TRADER).text
            assert bench.engine.confirm_release("cpi", TRADER).text == "CPI of Nov 22 14:50 ET counts as out."
            await bench.sent()
            again = bench.engine.confirm_release("CPI", TRADER)
            assert (
                not again.accepted and "No CPI is awaited; the next one is due Dec 22 15:00 ET" in again.text
            )
            rows, venue = list(bench.journal.rows), bench.venue
            assert [row.actor for row in rows if row.kind == Kind.RELEASE.value] == [TRADER.name]
        async with running(
            loop, settings=SETTINGS, affected=CPI, venue=venue, history=rows, run="r2", ready=False
        ) as second:
            due = Due("CPI", START_WALL_MS - 600_000, Certainty.STATED, "BLS")
            coming = Due("CPI", START_WALL_MS + 30 * DAY_S * 1000, Certainty.STATED, "BLS")
            stamp = Stamp(second.clock.wall_ms(), 0, 0)
            second.feed.sink(Calendar("BLS", ("CPI",), (due, coming), stamp, 35 * DAY_S))
            pending = second.engine.desk.releases.pending("CPI")
            # The first calendar was counted from a moment later: what was confirmed is not awaited again.
            assert pending is None

    run_virtual(main)


def test_a_print_ends_the_wait_and_one_of_an_earlier_month_does_not() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, settings=SETTINGS, affected=CPI) as bench:

            def printed(day: str, value: float | None = 300.1) -> None:
                bench.feed.sink(SeriesPoint("CPIAUCSL", "FRED", day, value, Stamp(0, 0, 0)))

            calendar(bench, -600)
            for day, value in (("2026-09-01", 300.1), ("2026-10-01", None)):
                printed(day, value)
                assert state(bench) is ReleaseState.PENDING
            printed("2026-10-01")
            assert state(bench) is ReleaseState.CLEAR
            (row,) = [row for row in bench.journal.rows if row.kind == Kind.RELEASE.value]
            assert "CPI of Nov 22 14:50 ET is out: CPIAUCSL" in row.payload

    run_virtual(main)


def test_a_calendar_that_says_a_date_has_brought_figures_ends_the_wait_for_that_date_only() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, settings=SETTINGS, affected=CPI) as bench:
            now = bench.clock.wall_ms()

            def listed(at_ms: int, made_ms: int = now) -> None:
                out = Due("CPI", at_ms, Certainty.USUAL, "fred-releases", out=True)
                made = Stamp(made_ms, now, 0)
                bench.feed.sink(Calendar("fred-releases", ("CPI",), (out,), made, 35 * DAY_S))

            calendar(bench, -600)
            listed(now - 20 * DAY_S * 1000)
            assert state(bench) is ReleaseState.PENDING
            listed(now - 7_200_000, made_ms=now - 700_000)
            assert state(bench) is ReleaseState.PENDING, "it was made before the time: it cannot know"
            listed(now - 7_200_000)  # the same day at its usual time
            assert state(bench) is ReleaseState.CLEAR

    run_virtual(main)


def test_without_a_calendar_or_with_an_old_one_only_nothing_is_opened_and_it_says_so() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, settings=SETTINGS, affected=CPI) as bench:
            await bench.until(lambda: rung(bench, "no calendar knows the next CPI"), "the alarm", 2)
            calendar(bench, days_old=36)
            await bench.until(lambda: rung(bench, "no calendar knows"), "still", 2)
            await asyncio.sleep(1.5)
            market = bench.engine.state.markets[HOT]
            await bench.until(lambda: "36 days old, limit 35" in market.why_not, "the gate's word")
            calendar(bench)
            await asyncio.sleep(1.5)
            assert not rung(bench, "CPI")
            await bench.sent()

    run_virtual(main)


def test_markets_no_release_moves_do_not_wait_for_one() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, settings=SETTINGS) as bench:
            calendar(bench, 30)
            await bench.sent()
            await asyncio.sleep(2)
            assert not rung(bench, "CPI")

    run_virtual(main)


def test_the_countdown_reaches_whoever_is_attached() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, settings=SETTINGS, affected=CPI) as bench:
            calendar(bench, -DAY_S, 400)
            await asyncio.sleep(1.5)
            row = next(r for r in Snapshot(bench.engine.desk).status().releases if r.kind == "CPI")
            now = bench.clock.wall_ms()
            assert row.state == "PENDING" and row.markets == 6
            assert row.next_world_ms is not None and 390_000 < row.next_world_ms - now < 400_000
            assert (row.certainty, row.source, row.before_s, row.after_s) == ("stated", "BLS", 60, 120)
            before = bench.engine.state.status
            bench.engine.confirm_release("CPI", TRADER)
            await asyncio.sleep(1.5)
            assert bench.engine.state.status > before

    run_virtual(main)

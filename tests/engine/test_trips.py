"""What switches itself off: at its limit, over a restart, and on again only by a person's word."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.clock import REAL_WORLD, Clocks, WorldClock
from core.domain.market import Venue
from core.domain.order import BookSide, Fill, Life, Order, Purpose
from core.domain.position import Position, apply
from core.domain.units import Money, Price, contracts
from core.engine.equity import Equity, PeakReached, take
from core.engine.restore import restore
from core.engine.state import AlarmLevel, Mode
from core.engine.tallies import HOUR_MS, Tallies
from core.execution.ledger import Ledger
from core.models.foreseen import Came, Entry
from core.risk.halts import Level, ScopeKind
from core.risk.limits import DEFAULTS
from core.risk.trips import Trip, TripKind, named
from core.venues.venue import SettlementReport
from tests.execution.bench import HOT, TRADER, VIEWER, WARM, Bench, running
from tests.models.test_track import past
from tests.risk.desk import order
from tests.virtual import START_WALL_MS, VirtualClock, VirtualLoop, run_virtual

FEW = msgspec.structs.replace(DEFAULTS, repeat_hour_max=1, loss_row_max=2, rejects_max=2, unknowns_max=1)


def act(bench: Bench) -> list[str]:
    alarms = bench.engine.state.alarms.values()
    return [alarm.what for alarm in alarms if alarm.level is AlarmLevel.ACT and alarm.active]


def reenable(bench: Bench, name: str) -> str:
    told = bench.engine.reenable(name, "enable", "looked at it", TRADER)
    assert told.accepted, told.text
    return told.text


# --- G22 ----------------------------------------------------------------------------------------


def test_a_strategy_that_repeats_itself_is_off_in_that_market_until_a_person_says_so() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, ceilings=FEW) as bench:
            desk = bench.engine.desk
            assert bench.engine.set_mode("auto", "automatic", "test", TRADER).accepted
            await bench.until(lambda: bool(desk.ledger.by_order_id), "automatic order")
            (order_id,) = bench.venue.placed
            assert desk.ledger.orders[desk.ledger.by_order_id[order_id]].intent.automatic
            bench.venue.trade(order_id, 1)
            await bench.until(lambda: bool(bench.engine.state.trips), "trip", 2)
            assert act(bench) == [
                f"{HOT}: 1 automatic entries of {desk.rules.strategy} within an hour, limit 1"
            ]
            bench.venue.end(order_id, "ExpiryCancel")
            await asyncio.sleep(30)
            assert len(bench.venue.placed) == 1, "nothing more leaves by itself"
            loop.now += 3_600  # the machine sleeps; a minute later the desk could trade again
            await asyncio.sleep(60)
            assert len(bench.venue.placed) == 1, "an hour alone switches nothing on"
            assert not bench.engine.reenable(HOT, "yes", "x", TRADER).accepted
            assert not bench.engine.reenable(HOT, "enable", " ", TRADER).accepted
            assert not bench.engine.reenable(HOT, "enable", "x", VIEWER).accepted
            reenable(bench, HOT[-2:])
            assert not bench.engine.state.trips and not act(bench)
            bench.feed.forecast(48.0)
            await bench.until(lambda: len(bench.venue.placed) > 1, "it trades again", 60)

    run_virtual(main)


def test_an_entry_that_trades_in_parts_is_one() -> None:
    async def main(loop: VirtualLoop) -> None:
        twice = msgspec.structs.replace(DEFAULTS, repeat_hour_max=2)
        async with running(loop, ceilings=twice) as bench:
            assert bench.engine.set_mode("auto", "automatic", "test", TRADER).accepted
            await bench.until(lambda: bool(bench.engine.desk.ledger.by_order_id), "automatic order")
            (order_id,) = bench.venue.placed
            for _ in range(3):
                bench.venue.trade(order_id, 1)
                await asyncio.sleep(1.5)
            tallies = bench.engine.desk.trips.tallies
            assert list(tallies.entered().values()) == [1] and not bench.engine.state.trips

    run_virtual(main)


def test_orders_a_person_approved_are_no_repeats() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, ceilings=FEW) as bench:
            await bench.held(1)
            await asyncio.sleep(2)
            assert not bench.engine.state.trips

    run_virtual(main)


# --- G25 ----------------------------------------------------------------------------------------

TICKERS = st.sampled_from(["A", "B"])
TRADES = st.lists(
    st.tuples(TICKERS, st.sampled_from([BookSide.BID, BookSide.ASK]), st.integers(1, 99), st.integers(1, 5)),
    max_size=25,
)


class Deaf:
    """A ledger's listener that hands fills on to the tallies."""

    tallies: Tallies

    def on_fill_undone(self, order: Order | None, fill: Fill) -> None: ...

    def on_trade_confirmed(self, ticker: str) -> None: ...

    def on_fill_applied(self, order: Order | None, fill: Fill) -> None:
        self.tallies.filled(order, fill)

    def on_settled(self, report: SettlementReport) -> None:
        self.tallies.settled(report.ticker)

    def __getattr__(self, name: str) -> object:
        return lambda *_: None


def fill(n: int, ticker: str, side: BookSide, price: int, count: int, at_ms: int) -> Fill:
    return Fill(
        f"T{n}",
        Venue.KALSHI,
        ticker,
        "v",
        side,
        Price(price * 100),
        contracts(count),
        Money(n),
        True,
        at_ms,
    )


@given(TRADES)
def test_closes_are_positions_that_went_flat_and_a_restart_counts_the_same(
    trades: list[tuple[str, BookSide, int, int]],
) -> None:
    async def main(loop: VirtualLoop) -> None:
        clocks, ear = Clocks(VirtualClock(loop), REAL_WORLD), Deaf()
        ledger = Ledger(lambda event, **_: 1, ear)  # type: ignore[arg-type]  # only two of its calls matter
        ear.tallies = Tallies(ledger, clocks, lambda *_: None)
        expected: list[bool] = []
        results: dict[str, int] = {}
        held: dict[str, Position] = {}
        for n, (ticker, side, price, count) in enumerate(trades):
            one = fill(n, ticker, side, price, count, clocks.wall_ms())
            before = held.get(ticker, Position())
            after = held[ticker] = apply(before, one)
            ledger.offer_fill(one, "", "stream", 0)
            ledger.claim_external(one.trade_id)
            worth = after.realised - after.fees
            if before.net and before.net * after.net <= 0:
                expected.append(worth < results[ticker])
                results[ticker] = worth
            elif not before.net:
                results[ticker] = before.realised - before.fees
            await asyncio.sleep(1)
        in_row = 0
        for lost in reversed(expected):
            if not lost:
                break
            in_row += 1
        again = Tallies(ledger, clocks, lambda *_: None)
        again.recount()
        for tallies in (ear.tallies, again):
            assert tallies.losses_in_row() == in_row
            assert tallies.losses_1h() == sum(expected)
        await asyncio.sleep(HOUR_MS / 1000)
        assert ear.tallies.losses_1h() == 0 and ear.tallies.losses_in_row() == in_row
        ear.tallies.closes_since = clocks.wall_ms()
        assert ear.tallies.losses_in_row() == 0

    run_virtual(main)


async def lose(bench: Bench, ticker: str = HOT) -> None:
    """Buy a contract and see its market settle worthless."""
    await bench.held(1, ticker)
    bench.venue.settle(ticker, 0)
    await bench.until(lambda: ticker in bench.engine.desk.ledger.settled, "settled", 60)


def test_a_losing_streak_ends_automatic_mode_and_bars_it_over_a_restart() -> None:
    async def main(loop: VirtualLoop) -> None:
        once = msgspec.structs.replace(DEFAULTS, loss_row_max=1)
        async with running(loop, ceilings=once) as bench:
            engine = bench.engine
            await lose(bench)
            assert engine.set_mode("auto", "automatic", "test", TRADER).accepted
            await bench.until(lambda: engine.state.mode is Mode.SEMI, "automatic off", 2)
            assert act(bench) == ["1 losing closes in a row, limit 1"]
            told = engine.set_mode("auto", "automatic", "test", TRADER)
            assert not told.accepted and "'reenable automatic'" in told.text
            rows, venue = list(bench.journal.rows), bench.venue
        async with running(loop, venue=venue, history=rows, ceilings=once, run="r2") as again:
            assert act(again) == ["1 losing closes in a row, limit 1"]
            assert not again.engine.set_mode("auto", "automatic", "test", TRADER).accepted
            reenable(again, "automatic")
            assert again.engine.set_mode("auto", "automatic", "test", TRADER).accepted
            await asyncio.sleep(3)
            assert again.engine.state.mode is Mode.AUTO, "the old streak counts no more"
            rows += again.journal.rows
        async with running(loop, venue=venue, history=rows, ceilings=once, run="r3") as third:
            await asyncio.sleep(3)
            assert not third.engine.state.trips

    run_virtual(main)


def test_five_sure_bets_lost_in_a_row_switch_their_series_off_until_a_person_says_so() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            desk = bench.engine.desk
            order = await bench.sent()
            for n in range(4):
                lose_surely(bench, n)
            await asyncio.sleep(2)
            assert not bench.engine.state.trips
            lose_surely(bench, 4)
            await bench.until(lambda: bool(bench.engine.state.trips), "trip", 3)
            assert act(bench) == ["KXHIGHNY: 5 bets of more than 80% lost in a row, limit 5"]
            await bench.until(lambda: not bench.order(order.intent.client_order_id).live, "cancelled", 5)
            await asyncio.sleep(10)
            assert "G37 KXHIGHNY is off" in bench.engine.state.markets[HOT].why_not
            assert desk.trips.covering("x", "KXHIGHCHI-B48") == ()
            reenable(bench, "KXHIGHNY")
            await asyncio.sleep(0.1)
            for n in range(5, 9):
                lose_surely(bench, n)
            await asyncio.sleep(2)
            assert not bench.engine.state.trips, "what was before the word counts no more"
            lose_surely(bench, 9)
            await bench.until(lambda: bool(bench.engine.state.trips), "trip", 3)
            venue, rows = bench.venue, tuple(bench.journal.rows)
        async with running(loop, venue=venue, history=rows, run="r2") as again:
            assert "KXHIGHNY" in str(act(again))

    run_virtual(main)


def lose_surely(bench: Bench, n: int) -> None:
    """One more bet of 90 % on New York comes to nothing."""
    look, came = past(1)[0]
    at_ms = bench.engine.desk.clocks.world_ms()
    entry = Entry(look.tickers[0], 5.0, 0.1, True, 0.9)
    lost = Came(f"E{n}", at_ms, {**came.paid, look.tickers[0]: False}, None, (entry,))
    bench.engine.desk.forecasts.record.add((msgspec.structs.replace(look, event=f"E{n}"),), lost)


def test_a_payout_counts_from_when_it_was_made_in_a_world_that_runs_fast_too() -> None:
    async def main(loop: VirtualLoop) -> None:
        real = VirtualClock(loop)
        world = WorldClock(START_WALL_MS, START_WALL_MS, 144.0)
        clocks, ear = Clocks(real, world), Deaf()
        ledger = Ledger(lambda event, **_: 1, ear)  # type: ignore[arg-type]  # only two of its calls matter
        ear.tallies = Tallies(ledger, clocks, lambda *_: None)
        await asyncio.sleep(600)
        for n in range(3):
            ledger.offer_fill(fill(n, f"M{n}", BookSide.BID, 50, 1, clocks.wall_ms()), "", "stream", 0)
            ledger.claim_external(f"T{n}")
            ledger.settle(SettlementReport(f"M{n}", Price(0), "no", clocks.world_ms()))
            await asyncio.sleep(600)
        await asyncio.sleep(1_900)
        again = Tallies(ledger, clocks, lambda *_: None)
        again.recount()
        assert ear.tallies.losses_1h() == again.losses_1h() == 2

    run_virtual(main)


def test_losses_on_both_sides_of_a_restart_are_one_streak() -> None:
    async def main(loop: VirtualLoop) -> None:
        twice = msgspec.structs.replace(DEFAULTS, loss_row_max=2)
        async with running(loop, ceilings=twice) as bench:
            await lose(bench)
            rows, venue = list(bench.journal.rows), bench.venue
        async with running(loop, venue=venue, history=rows, ceilings=twice, run="r2") as again:
            engine, tallies = again.engine, again.engine.desk.trips.tallies
            assert (tallies.losses_in_row(), tallies.losses_1h()) == (1, 1)
            assert not engine.state.trips
            fair = engine.state.markets[WARM].fair
            assert fair is not None
            cents = round(fair.probability * 100)
            again.venue.quote(WARM, cents - 8, cents - 4)
            engine.unpause("", "unpause", TRADER)
            await lose(again, WARM)
            await again.until(lambda: TripKind.STREAK.value in engine.state.trips, "streak", 3)

    run_virtual(main)


# --- G26 ----------------------------------------------------------------------------------------


def test_the_peak_is_of_seven_days_and_of_our_own_doing() -> None:
    noted: list[PeakReached] = []
    equity = Equity({}, noted.append)
    base = Money(1_000_000_000)
    for n, (day, result) in enumerate((("2026-11-20", 50), ("2026-11-21", 90), ("2026-11-22", 20))):
        equity.mark(day, base, Money(result * 1_000_000))
        assert len(noted) == n + 1, "each day has its row"
    assert (equity.now, equity.peak) == (base + 20_000_000, base + 90_000_000)
    equity.mark("2026-11-22", Money(base - 400_000_000), Money(20_000_000))
    assert equity.peak is not None and equity.now is not None
    assert equity.peak - equity.now == 70_000_000, "money taken out is no loss"
    equity.mark("2026-11-27", base, Money(0))
    assert equity.peak == base + 90_000_000
    equity.mark("2026-11-28", base, Money(0))
    assert equity.peak == base + 20_000_000, "the seventh day back has gone"
    equity.mark("2026-11-28", base, None)
    assert (equity.now, equity.peak) == (None, None)


@given(st.lists(st.tuples(st.integers(20, 29), st.integers(-500, 500)), min_size=1, max_size=30))
def test_a_restart_knows_the_peak_to_a_thousandth(marks: list[tuple[int, int]]) -> None:
    peaks: dict[str, int] = {}
    base = Money(1_000_000_000)
    equity = Equity({}, lambda row: take(peaks, row))
    for day, result in sorted(marks, key=lambda mark: mark[0]):
        equity.mark(f"2026-11-{day}", base, Money(result * 1_000_000))
    again = Equity(peaks, lambda row: None)
    again.mark(f"2026-11-{max(day for day, _ in marks)}", base, Money(-900_000_000))
    assert again.peak is not None and equity.peak is not None
    assert 0 <= equity.peak - again.peak <= 1_500_000


def test_what_was_before_a_re_enabling_is_no_peak() -> None:
    peaks: dict[str, int] = {}
    for row in (PeakReached("d1", 90), PeakReached("d2", 50), PeakReached("d2", 10, anew=True)):
        take(peaks, row)
    assert peaks == {"d2": 10}


def test_a_drawdown_halts_the_desk_for_good_until_the_peak_begins_anew() -> None:
    async def main(loop: VirtualLoop) -> None:
        tight = msgspec.structs.replace(DEFAULTS, drawdown_max=1, day_loss_max=Money(400_000_000))
        async with running(loop, ceilings=tight) as bench:
            await bench.held(20)
            await asyncio.sleep(1.5)
            assert bench.engine.state.halts.desk is Level.NORMAL
            bench.venue.quote(HOT, 5, 9)
            await bench.until(lambda: bench.engine.state.halts.desk is Level.HALTED, "halt", 2)
            assert any("below the 7-day peak of 500.0" in what for what in act(bench))
            rows, venue = list(bench.journal.rows), bench.venue
        async with running(loop, venue=venue, history=rows, ceilings=tight, run="r2") as again:
            engine = again.engine
            assert engine.state.halts.desk is Level.HALTED and TripKind.DRAWDOWN.value in engine.state.trips
            again.venue.quote(HOT, 5, 9)
            await asyncio.sleep(8)
            told = engine.resume("resume", "calm", TRADER)
            assert not told.accepted and "'reenable drawdown' comes first" in told.text
            reenable(again, "drawdown")
            unseen = engine.resume("resume", "calm", TRADER)
            assert not unseen.accepted and "Acknowledge" in unseen.text, "it rings again after a restart"
            assert engine.acknowledge_all(TRADER).accepted
            assert engine.resume("resume", "calm", TRADER).accepted
            await asyncio.sleep(3)
            assert engine.state.halts.desk is Level.NORMAL, "the peak is what it was worth then"
            rows += again.journal.rows
        found = restore(rows)
        assert not found.desk.trips and max(found.peaks.values()) < -5_000_000, "the journal says so too"

    run_virtual(main)


def test_selling_and_waiting_for_the_money_is_no_drawdown() -> None:
    async def main(loop: VirtualLoop) -> None:
        tight = msgspec.structs.replace(DEFAULTS, drawdown_max=1)
        async with running(loop, ceilings=tight) as bench:
            await bench.held(20)
            bench.venue.faults.broken_reads = True  # the cash that comes in is not read
            bench.venue.quote(HOT, 50, 54)
            bench.engine.flatten(TRADER, now=True)
            await bench.until(lambda: bench.engine.desk.ledger.net(HOT) == 0, "sold", 30)
            await asyncio.sleep(3)
            assert not bench.engine.state.trips

    run_virtual(main)


# --- G27 ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["rejects", "unanswered"])
def test_a_venue_that_refuses_or_is_silent_is_halted_and_a_resume_counts_anew(kind: str) -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, ceilings=FEW) as bench:
            if kind == "rejects":
                bench.venue.trading = False
                for ticker in (HOT, WARM):
                    bench.engine.desk.trips.tallies.order_changed(*_refused(bench, ticker))
            else:
                bench.venue.faults.lose_requests = 1
                card = await bench.card()
                assert bench.approve(card).accepted
            await bench.until(lambda: bool(bench.engine.state.halts.standing), "halt", 8)
            halt = bench.engine.state.halts.standing[0]
            assert (halt.scope.kind, halt.level) == (ScopeKind.VENUE, Level.HALTED)
            assert kind[:6] in halt.cause and f"KAL: {halt.cause}" in act(bench)
            assert bench.engine.desk.trips.tallies.rejects_1min(Venue.KALSHI) == 0
            unseen = bench.engine.resume("resume", "looked", TRADER)
            assert not unseen.accepted and "Acknowledge" in unseen.text

    run_virtual(main)


def _refused(bench: Bench, ticker: str) -> tuple[Order, Order]:
    sending = order(BookSide.BID, Purpose.OPEN, life=Life.SENDING, ticker=ticker)
    return sending, msgspec.structs.replace(sending, life=Life.REJECTED)


# --- names --------------------------------------------------------------------------------------


def test_a_trip_is_named_by_its_market_or_its_kind() -> None:
    repeat = Trip(TripKind.REPEAT, "x", 1, "KXHIGHNY-B48", "entries")
    other = Trip(TripKind.REPEAT, "x", 1, "KXHIGHCHI-B48", "entries")
    streak = Trip(TripKind.STREAK, "x", START_WALL_MS)
    assert named((repeat, streak), "B48") == (repeat,)
    assert named((repeat, other), "B48") == () and named((repeat, other), "KXHIGHCHI-B48") == (other,)
    assert named((repeat, streak), "automatic") == (streak,)
    assert named((repeat, streak), "") == ()

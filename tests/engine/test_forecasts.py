"""Forecasts and outcomes on a whole desk: taken down when due, settled, kept over a restart, and obeyed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
import pytest

from core.domain.clock import WorldClock
from core.domain.market import Market, MarketStatus, Venue
from core.engine.state import AlarmLevel
from core.journal.events import Kind, Row
from core.journal.wording import text_of
from core.models.calibration import Verdict
from core.models.foreseen import Came, Foreseen, Moment
from core.models.pooling import Weights
from core.models.record import Record
from tests.execution.bench import EVENT, HOT, TRADER, Bench, ladder, running
from tests.models.test_track import past
from tests.virtual import START_WALL_MS, VirtualLoop, run_virtual

HOUR_MS = 3_600_000
USUAL = Weights(0.35, 1.0)


def looks(rows: Sequence[Row]) -> list[Foreseen]:
    return [msgspec.json.decode(r.payload, type=Foreseen) for r in rows if r.kind == Kind.FORECAST.value]


def outcomes(rows: Sequence[Row]) -> list[Came]:
    return [msgspec.json.decode(r.payload, type=Came) for r in rows if r.kind == Kind.OUTCOME.value]


def ended(winner: str = HOT, value: str = "48.00") -> tuple[Market, ...]:
    return tuple(
        msgspec.structs.replace(
            market,
            status=MarketStatus.DETERMINED,
            result="yes" if market.ticker == winner else "no",
            expiration_value=value,
        )
        for market in ladder()
    )


def tell(bench: Bench, markets: Sequence[Market]) -> None:
    for market in markets:
        bench.venue.listener.on_market(market)


def test_a_forecast_is_taken_down_once_when_it_is_complete_and_scored_when_it_came_true() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, judge=None) as bench:
            await asyncio.sleep(2.5)
            (first,) = looks(bench.journal.rows)
            event = bench.engine.state.events[EVENT]
            assert event.fair is not None
            assert (first.event, first.moment, first.series) == (EVENT, Moment.FIRST, "KXHIGHNY")
            assert (first.model, first.version, first.day) == (
                event.fair.model,
                event.fair.version,
                "2026-11-23",
            )
            assert first.tickers == tuple(value.ticker for value in event.fair.values)
            assert abs(sum(first.alone) - 1.0) < 1e-4 and abs(sum(first.market) - 1.0) < 1e-4
            assert first.sources == tuple(age.name for age in event.fair.values[0].inputs)
            tell(bench, ended()[:5])
            assert not outcomes(bench.journal.rows), "one market has no result yet"
            tell(bench, ended()[5:])
            (came,) = outcomes(bench.journal.rows)
            assert (came.event, came.value, came.paid[HOT]) == (EVENT, 48.0, True)
            (track,) = bench.engine.desk.forecasts.record.tracks()
            assert (track.series, track.worth.looks, track.worth.alone.days) == ("KXHIGHNY", 1, 1)
            assert track.standing.verdict is Verdict.INSUFFICIENT
            await asyncio.sleep(1.1)
            assert event.score.endswith("1 d") and event.score.startswith("model ")
            texts = [text_of(r) for r in bench.journal.rows if r.kind in ("FORECAST", "OUTCOME")]
            assert "first complete: pooled " in texts[0]
            assert texts[1] == f"{EVENT} settled on 48.0: {HOT} paid YES"
            tell(bench, ended(value="49.00"))
            assert [one.value for one in outcomes(bench.journal.rows)] == [48.0, 49.0], "corrected"
            assert len(bench.engine.desk.forecasts.record.tracks()) == 1

    run_virtual(main)


def test_a_book_that_says_too_little_is_waited_for() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, judge=None, ready=False) as bench:
            await bench.until(lambda: bench.engine.state.ready, "ready")
            for ticker in bench.venue.books:
                bench.venue.quote(ticker, 10, 80)
            await asyncio.sleep(3.0)
            assert not looks(bench.journal.rows)
            for ticker in bench.venue.books:
                bench.venue.quote(ticker, 16, 20)
            await asyncio.sleep(1.5)
            assert len(looks(bench.journal.rows)) == 1

    run_virtual(main)


def test_the_record_survives_a_restart_and_no_moment_is_taken_twice() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, judge=None) as bench:
            await asyncio.sleep(1.5)
            venue, rows = bench.venue, list(bench.journal.rows)
            assert len(looks(rows)) == 1
        async with running(loop, judge=None, venue=venue, history=rows, run="r2") as again:
            await asyncio.sleep(1.5)
            assert not looks(again.journal.rows)
            tell(again, ended())
            before = again.engine.desk.forecasts.record.tracks()
            rows = [*rows, *again.journal.rows]
        assert len(before) == 1
        async with running(loop, judge=None, venue=venue, history=rows, run="r3", ready=False) as last:
            assert last.engine.desk.forecasts.record.tracks() == before

    run_virtual(main)


def test_what_ended_while_no_engine_ran_is_asked_for() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, judge=None) as bench:
            await asyncio.sleep(1.5)
            venue, rows = bench.venue, list(bench.journal.rows)
        venue.listed = ended()
        async with running(loop, judge=None, venue=venue, history=rows, run="r2", ready=False) as again:
            forecasts = again.engine.desk.forecasts
            closes_ms = ladder()[0].close_ms
            assert forecasts.unsettled(Venue.KALSHI, closes_ms + HOUR_MS // 4) == {}
            assert list(forecasts.unsettled(Venue.KALSHI, closes_ms + HOUR_MS)) == [EVENT]
            assert forecasts.unsettled(Venue.KALSHI, closes_ms + HOUR_MS) == {}, "asked a moment ago"
            assert forecasts.unsettled(Venue.POLYMARKET, closes_ms + 3 * HOUR_MS) == {}
            forecasts.came(EVENT, ended())
            assert forecasts.unsettled(Venue.KALSHI, closes_ms + 9 * HOUR_MS) == {}
            assert len(outcomes(again.journal.rows)) == 1

    run_virtual(main)


def history(rows: Sequence[tuple[Foreseen, Came]], model: str) -> list[Row]:
    """Journal rows of an earlier run."""
    found = []
    for look, came in rows:
        named = msgspec.structs.replace(look, model=model)
        for kind, payload in ((Kind.FORECAST, named), (Kind.OUTCOME, came)):
            text = msgspec.json.encode(payload).decode()
            found.append(
                Row(len(found) + 1, 0, 0, "b", "r0", "engine", kind.value, "", "", None, text, "", "")
            )
    return found


def test_a_model_made_worse_on_purpose_loses_its_automatic_right_and_says_why() -> None:
    async def main(loop: VirtualLoop) -> None:
        for off, sent in ((0.0, True), (5.0, False)):
            rows = history(past(150, model_off=off), "rolling")
            async with running(loop, judge=None, history=rows) as bench:
                standing = bench.engine.desk.forecasts.record.judge("KXHIGHNY", "rolling", USUAL)
                assert (standing.verdict is Verdict.PROVEN) is sent
                told = bench.engine.set_mode("auto", "automatic", "test", TRADER)
                assert told.accepted and ("still wait for you" in told.text) is not sent
                await asyncio.sleep(3.0)
                assert bool(bench.venue.placed) is sent
                if not sent:
                    assert "the model adds nothing" in told.text
                    fair = bench.engine.state.markets[HOT].fair
                    assert fair is not None and "the model adds nothing" in fair.doubt and fair.weight == 0.0

    run_virtual(main)


@pytest.mark.parametrize(("off", "verdict"), [(0.0, Verdict.PROVEN), (5.0, Verdict.WORTHLESS)])
def test_what_a_record_comes_to_allow_is_a_row_and_calls_somebody_where_a_model_ends(
    off: float, verdict: Verdict
) -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, judge=None, history=history(past(59, model_off=off), "rolling")) as bench:
            await asyncio.sleep(2.0)
            tell(bench, ended())
            (row,) = [row for row in bench.journal.rows if row.kind == Kind.STANDING.value]
            assert f"KXHIGHNY, rolling: {verdict.value} now, the model adds" in text_of(row)
            called = [a for a in bench.engine.state.alarms.values() if a.active and "KXHIGHNY" in a.what]
            assert [a.level for a in called] == ([AlarmLevel.CHECK] if off else [])
            tell(bench, ended(value="49.00"))  # amended: it allows the same
            assert len([row for row in bench.journal.rows if row.kind == Kind.STANDING.value]) == 1

    run_virtual(main)


@pytest.mark.parametrize(("first", "last", "yes"), [((38, 42), (52, 56), True), ((50, 54), (32, 36), False)])
def test_what_was_bought_is_held_against_the_last_word_of_the_market(
    first: tuple[int, int], last: tuple[int, int], yes: bool
) -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            bench.venue.quote(HOT, *first)
            await asyncio.sleep(1.1)
            order = await bench.sent()
            bench.venue.trade(order.order_id, 5)
            await asyncio.sleep(0.3)
            bench.venue.quote(HOT, *last)
            await asyncio.sleep(2.3)
            fair = bench.engine.state.markets[HOT].fair
            assert fair is not None and fair.market_probability is not None
            tell(bench, ended())
            (came,) = outcomes(bench.journal.rows)
            (entry,) = came.entries
            assert (entry.ticker, entry.contracts, entry.yes) == (HOT, 5.0, yes)
            assert entry.beaten > 0.2, "what was bought closes dearer"
            said = fair.probability if yes else 1.0 - fair.probability
            assert order.intent.said == pytest.approx(entry.said, abs=1e-5)
            assert entry.said == pytest.approx(said, abs=0.05)

    run_virtual(main)


def test_a_simulated_past_is_no_evidence_on_a_desk_that_is_not_simulated() -> None:
    simulated = [(msgspec.structs.replace(look, simulated=True), came) for look, came in past(100)]
    for inside in (True, False):
        record = Record(simulated=inside)
        for look, came in simulated:
            record.add((look,), came)
        assert bool(record.tracks()) is inside


def test_the_evening_before_is_a_moment_of_its_own_and_a_moment_nobody_saw_is_left_out() -> None:
    async def main(loop: VirtualLoop) -> None:
        soon = WorldClock(START_WALL_MS, START_WALL_MS + HOUR_MS - 10_000, 1.0)
        async with running(loop, judge=None, world=soon) as bench:
            await asyncio.sleep(2.0)
            assert [look.moment for look in looks(bench.journal.rows)] == [Moment.FIRST]
            await asyncio.sleep(10.0)
            assert [look.moment for look in looks(bench.journal.rows)] == [Moment.FIRST, Moment.EVENING]
            venue = bench.venue
        late = WorldClock(START_WALL_MS, START_WALL_MS + 3 * HOUR_MS, 1.0)
        async with running(loop, judge=None, world=late, venue=venue) as bench:
            await asyncio.sleep(2.0)
            assert [look.moment for look in looks(bench.journal.rows)] == [Moment.FIRST], "two hours late"

    run_virtual(main)

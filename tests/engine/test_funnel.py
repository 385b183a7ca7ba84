"""Where every market of the desk stands on its way to a proposal."""

from __future__ import annotations

import asyncio

import msgspec

from core.control.queries.answers import answer
from core.control.snapshot import Snapshot
from core.engine.funnel import Level, Stage, funnel
from core.models.calibration import Verdict
from core.strategy.assess import NOTHING, Assessment
from tests.engine.test_pool import counting
from tests.execution.bench import HOT, TRADER, Bench, ladder, running
from tests.execution.fake_venue import FakeVenue
from tests.virtual import VirtualClock, VirtualLoop, run_virtual

STRANGE = msgspec.structs.replace(
    ladder()[0], ticker="KXFED-1", event_ticker="KXFED", series_ticker="KXFED", label="FED 1", station=None
)


def levels(bench: Bench) -> dict[Stage, Level]:
    found = {level.stage: level for level in funnel(bench.engine.desk)}
    every = [ticker for level in found.values() for reason in level.reasons for ticker in reason.tickers]
    assert sorted(every) == sorted(bench.engine.state.markets), "each market in one place"
    assert [level.reached for level in found.values()] == [
        sum(later.here for later in list(found.values())[n:]) for n in range(len(Stage))
    ]
    return found


def test_every_market_is_in_one_place_with_a_reason() -> None:
    async def main(loop: VirtualLoop) -> None:
        venue = FakeVenue(None, loop, VirtualClock(loop), listed=(*ladder(), STRANGE))  # type: ignore[arg-type]
        async with running(loop, venue=venue, series=("KXHIGHNY", "KXFED")) as bench:
            card = await bench.card()
            found = levels(bench)
            (strange,) = found[Stage.SEEN].reasons
            assert strange.tickers == ("KXFED-1",)
            (waits,) = found[Stage.PROPOSED].reasons
            assert (waits.why, waits.tickers) == ("a card waits", (HOT,))
            assert found[Stage.MAPPED].reached == 6 and found[Stage.FRESH].here == 5
            assert "the edge is smaller than what it must be" in [r.why for r in found[Stage.FRESH].reasons]

            assert bench.engine.veto(card.id, card.fingerprint, "no", TRADER).accepted
            await asyncio.sleep(1.0)
            (refused,) = levels(bench)[Stage.GATED].reasons
            assert (refused.why, refused.tickers) == ("a card like it ended a moment ago", (HOT,))

    run_virtual(main)


def test_an_edge_that_the_gate_refuses_stops_there_with_its_words() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            bench.quiet()
            await asyncio.sleep(1.0)
            assert bench.engine.pause("", TRADER).accepted
            bench.venue.quote(HOT, 38, 42)
            await asyncio.sleep(5.0)  # until a card may come back
            (paused,) = levels(bench)[Stage.EDGE].reasons
            assert "paused" in paused.why and paused.tickers == (HOT,)

    run_virtual(main)


def test_reasons_that_differ_in_figures_and_names_alone_are_one() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            bench.quiet()
            await asyncio.sleep(1.0)
            for number, (ticker, market) in enumerate(bench.engine.state.markets.items()):
                assert market.assessed is not None
                market.assessed = Assessment(ticker, NOTHING, f"waits {number} s for {ticker}")
            (waits,) = levels(bench)[Stage.FRESH].reasons
            assert len(waits.tickers) == 6 and waits.why == f"waits 0 s for {waits.tickers[0]}"

    run_virtual(main)


def test_what_is_not_fresh_and_what_was_never_priced_are_told_apart() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            bench.venue.quote(HOT, 10, 60)
            await asyncio.sleep(4.0)  # longer than a book flickers: its card is gone
            (wide,) = levels(bench)[Stage.MODELLED].reasons
            assert "its spread is 50c" in wide.why and len(wide.tickers) == 6
            bench.quiet()
            bench.feed.forecast(48.0, limit_s=5)
            await asyncio.sleep(8.0)
            (old,) = levels(bench)[Stage.MODELLED].reasons
            assert "old, limit" in old.why and len(old.tickers) == 6
            for event in bench.engine.state.events.values():
                event.fair = None
            (never,) = levels(bench)[Stage.MAPPED].reasons
            assert len(never.tickers) == 6

    run_virtual(main)


def test_the_query_tells_stage_by_stage() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.card()
            snapshot = Snapshot(bench.engine.desk)
            told = msgspec.json.decode(answer("funnel", snapshot.query_rows("funnel"), snapshot.now()))
            assert [stage["stage"] for stage in told] == [stage.value for stage in Stage]
            assert told[0]["reached"] == 6
            assert told[-1]["reasons"] == [{"why": "a card waits", "markets": 1, "examples": [HOT]}]

    run_virtual(main)


def test_a_card_that_automatic_mode_may_not_send_says_why_it_waits() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, judge=counting(Verdict.INSUFFICIENT, 0.5)) as bench:
            await bench.card()
            assert "a card waits" in [one.why for one in levels(bench)[Stage.PROPOSED].reasons]
            assert bench.engine.set_mode("auto", "automatic", "test", TRADER).accepted
            whys = [one.why for one in levels(bench)[Stage.PROPOSED].reasons]
            assert "a card waits for a person: as a test says" in whys

    run_virtual(main)

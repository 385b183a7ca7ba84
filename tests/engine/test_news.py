"""A changed forecast is priced, looked at and shown at once: fair value, edge and card in one frame."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from core.control.frames import Reader
from core.control.protocol import Frame
from core.control.snapshot import Snapshot
from core.domain.market import Market
from core.engine.cards import ANSWERS_NS
from core.execution import approvals
from core.feeds.feed import FeedHealth, FeedState, Tried
from tests.execution.bench import EVENT, HOT, Bench, ladder, running
from tests.execution.fake_venue import FakeVenue
from tests.virtual import VirtualClock, VirtualLoop, run_virtual

AT_ONCE_S = 0.001
TWIN = "KXHIGHNY-26NOV24"


def twins() -> list[Market]:
    """A second event that rests on the same forecast."""
    return [
        msgspec.structs.replace(market, ticker=f"{TWIN}-{n}", event_ticker=TWIN, label=f"NYC hi Nov24 {n}")
        for n, market in enumerate(ladder())
    ]


class Shown:
    """The frames an attached console is sent when something cannot wait, and when."""

    def __init__(self, bench: Bench, loop: VirtualLoop) -> None:
        self.reader = Reader(Snapshot(bench.engine.desk))
        self.reader.full()
        self.frames: list[tuple[float, Frame]] = []
        self._loop = loop
        bench.engine.desk.pricing.on_news = self._take

    def _take(self) -> None:
        self.frames.extend((self._loop.time(), frame) for frame in self.reader.changes())

    def fresh(self) -> None:
        """Forget what has come so far, with all that would come by itself."""
        self.reader.changes()
        self.frames.clear()


@pytest.mark.parametrize("phase_s", [0.0, 0.06, 0.13, 0.2])
def test_a_changed_forecast_is_in_the_next_frame_with_the_card_it_changes(phase_s: float) -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.card()
            shown = Shown(bench, loop)
            await asyncio.sleep(1.25 + phase_s)  # a card changes once a second at most
            for high in (47.7, 47.9):  # joining pays and going a tick ahead does not; then it does
                shown.fresh()
                began = loop.time()
                bench.feed.forecast(high)
                await asyncio.sleep(AT_ONCE_S)
                (at, frame), *_ = shown.frames
                assert at - began < AT_ONCE_S
                key = bench.engine.state.markets[HOT].key
                (event,) = frame.events
                fair = next(bracket.fair for bracket in event.brackets if bracket.key == key)
                (card,) = (row for row in frame.proposals if row.key == key)
                (market,) = (row for row in frame.markets if row.key == key)
                assert (card.fair, market.fair) == (fair, fair)
                assert market.edge == card.edge
                await asyncio.sleep(1.3)

    run_virtual(main)


def test_all_that_one_answer_moves_is_looked_at_together_however_soon_the_next_comes() -> None:
    async def main(loop: VirtualLoop) -> None:
        venue = FakeVenue(None, loop, VirtualClock(loop), listed=(*ladder(), *twins()))  # type: ignore[arg-type]
        async with running(loop, venue=venue) as bench:
            shown = Shown(bench, loop)
            await asyncio.sleep(1.3)
            for n in range(40):
                shown.fresh()
                bench.feed.forecast(50.0 + n / 100)  # two values, each of both events
                await asyncio.sleep(AT_ONCE_S)
                ((_, frame),) = shown.frames
                assert {row.event for row in frame.events} == {EVENT, TWIN}
                fair = bench.engine.state.events[TWIN].fair
                assert fair is not None and fair.mean in {row.mean for row in frame.events}

    run_virtual(main)


def test_what_waits_for_room_is_counted_once_however_often_news_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(approvals, "CARDS_MAX", 1)

    async def main(loop: VirtualLoop) -> None:
        venue = FakeVenue(None, loop, VirtualClock(loop), listed=(*ladder(), *twins()))  # type: ignore[arg-type]
        async with running(loop, venue=venue) as bench:
            bench.venue.quote(f"{TWIN}-3", 38, 42)
            await asyncio.sleep(1.2)
            told = set[tuple[int, str]]()
            for n in range(60):
                bench.feed.forecast(48.0 + n / 1000)
                bench.engine.trading.tell_best()
                state = bench.engine.state
                told.add((state.waiting, state.waiting_best.rpartition(" ")[0]))
                await asyncio.sleep(0.03)
            (one,) = [waiting for waiting in told if waiting[0]]
            assert one[0] == 1 and one[1] in {m.market.label for m in state.markets.values()}
            assert told <= {(0, ""), one}

    run_virtual(main)


def test_nothing_new_is_proposed_while_a_run_is_still_coming_source_by_source() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:

            def proposed() -> bool:
                return HOT in {card.candidate.ticker for card in bench.engine.desk.approvals.queue()}

            await bench.card()
            bench.feed.forecast(40.0)
            await asyncio.sleep(120)  # a card like the first may come again
            assert not proposed()
            for high in (47.0, 47.9, 47.5):
                bench.feed.forecast(high)
                await asyncio.sleep(0.2)
                assert not proposed()
            await asyncio.sleep(0.5)
            assert proposed()

    run_virtual(main)


class Late:
    """A source of weather that has answered for some stations only."""

    name = "NWS"
    missing = ("KNYC",)

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def trial(self) -> Tried:
        return Tried(False, "")

    def health(self) -> FeedHealth:
        return FeedHealth(
            self.name, FeedState.OK, None, None, 60, source="nws", family="weather", missing=self.missing
        )


@pytest.mark.parametrize("answers", [True, False])
def test_a_card_waits_for_every_source_to_have_answered_at_a_start_but_not_for_ever(answers: bool) -> None:
    late = Late()

    async def main(loop: VirtualLoop) -> None:
        async with running(loop, more_feeds=lambda _sink, _clocks: [late]) as bench:
            await asyncio.sleep(2.0)
            assert not bench.engine.desk.approvals.queue()
            assert bench.engine.state.markets[HOT].why_not == "not all of its sources have answered yet"
            if answers:
                late.missing = ()
            await bench.card(seconds=2.0 if answers else ANSWERS_NS / 1e9)

    run_virtual(main)


def test_what_an_earlier_run_left_is_not_cancelled_on_the_first_sources_to_answer() -> None:
    late = Late()

    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            client, rows, venue = order.intent.client_order_id, list(bench.journal.rows), bench.venue
        async with running(
            loop,
            venue=venue,
            history=rows,
            ready=False,
            run="r2",
            more_feeds=lambda _sink, _clocks: [late],
        ) as again:
            again.feed.forecast(44.0)
            await again.until(lambda: again.engine.state.ready, "ready")
            await asyncio.sleep(1.0)
            assert again.order(client).live and not again.engine.desk.seats.cancelling(client)
            late.missing = ()
            await again.until(lambda: not again.order(client).live, "cancel", 2.0)
            [cancel, *_] = [row.payload for row in again.journal.rows if row.kind == "CANCEL_SENT"]
            assert "edge is down" in cancel

    run_virtual(main)


def test_what_moved_an_event_is_told_once_it_stands_and_from_where_it_stood_before() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.card()
            await asyncio.sleep(2.0)
            event = bench.engine.state.events[EVENT]
            assert event.fair is not None
            stood = event.fair.mean
            for high in (46.0, 51.0):  # the first source of a run says less, the last one more
                bench.feed.forecast(high)
                await asyncio.sleep(0.1)
            await asyncio.sleep(1.0)
            [what] = [row.payload for row in bench.journal.rows if row.kind == "FAIR"]
            assert f"mean {event.fair.mean - stood:+.1f}F" in what and event.fair.mean > stood + 2

    run_virtual(main)

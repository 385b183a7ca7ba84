"""Linked pairs: the operator's word, both texts pinned; what unpins and ends them; what a restart keeps."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence

import msgspec
import pytest

from core.config.settings import Settings
from core.control.protocol import Query
from core.control.queries.answers import answer
from core.control.served import Served
from core.control.snapshot import Snapshot
from core.domain.market import FeeChange, FeeSchedule, FeeType, Market, MarketStatus, Venue
from core.domain.order import BookSide
from core.domain.units import Price, contracts
from core.engine.operator import VIEWER_REFUSED, Outcome
from core.engine.pairs import PAIRS_MAX, QUANTITY_MAX
from core.engine.state import Alarm, AlarmLevel
from core.journal.events import Kind, Row
from core.journal.projections import Pair, PairState
from core.venues.venue import Link, LinkState
from tests.engine.test_two_seats import Second, seat
from tests.execution.bench import CLI, HOT, TRADER, VIEWER, WARM, Bench, ladder, running
from tests.execution.fake_venue import FakeVenue
from tests.virtual import VirtualLoop, run_virtual

SLUG = "nyc-high-nov-23-48-49"
TEN = contracts(10)


def twin(slug: str = SLUG, **changes: object) -> Market:
    """A market of the other venue that asks the same."""
    hot = next(market for market in ladder() if market.ticker == HOT)
    fees = FeeSchedule(FeeType.TAKER_CURVE, multiplier_e6=50_000)
    theirs = {"venue": Venue.POLYMARKET, "ticker": slug, "event_ticker": "nyc-high", "rules_hash": "p1"}
    return msgspec.structs.replace(hot, fees=fees, minimum=contracts(5), **(theirs | changes))


@contextlib.asynccontextmanager
async def two_venues(
    loop: VirtualLoop,
    *more: Market,
    earlier: tuple[FakeVenue, FakeVenue] | None = None,
    history: Sequence[Row] = (),
    run: str = "r1",
    settings: Settings | None = None,
    **changes: object,
) -> AsyncIterator[Bench]:
    """A desk that also has the other venue's market, changed so, with a book, and ``more``; or ``earlier``
    venues."""
    first, known = earlier or (None, None)
    beside = Second(loop, known)
    async with running(
        loop, venue=first, beside=beside, history=history, run=run, settings=settings
    ) as bench:
        if earlier is None:
            beside.venue.listed = (twin(**changes), *more)
            await bench.engine.catalogue.refresh(seat(bench))
        await bench.until(lambda: seat(bench).ready, "the other venue")
        if SLUG in beside.venue.books:
            beside.venue.quote(SLUG, 50, 52)
        yield bench


def other(bench: Bench) -> FakeVenue:
    """The other venue's exchange."""
    found = seat(bench).venue
    assert isinstance(found, FakeVenue)
    return found


def link(bench: Bench, first: str = HOT, second: str = SLUG, **changes: object) -> Outcome:
    values: dict[str, object] = {"quantity": TEN, "opposite": False, "actor": TRADER}
    return bench.engine.link_markets(first, second, **(values | changes))  # type: ignore[arg-type]


def told(bench: Bench, market: Market) -> None:
    exchange = bench.venue if market.venue is Venue.KALSHI else other(bench)
    exchange.listener.on_market(market)


def rung(bench: Bench, words: str) -> list[Alarm]:
    return [alarm for alarm in bench.engine.state.alarms.values() if words in alarm.what]


def states(bench: Bench) -> list[str]:
    rows = [row for row in bench.journal.rows if row.kind == Kind.PAIR.value]
    return [msgspec.json.decode(row.payload, type=Pair).state.value for row in rows]


def on_a_desk(check: Callable[[Bench], object]) -> None:
    async def main(loop: VirtualLoop) -> None:
        async with two_venues(loop) as bench:
            check(bench)

    run_virtual(main)


def test_a_link_pins_both_texts_and_says_what_is_known_to_differ() -> None:
    async def main(loop: VirtualLoop) -> None:
        later = twin("nyc-high-later", close_ms=twin().close_ms + 3_600_000, station=None)
        async with two_venues(loop, later) as bench:
            linked = link(bench, second="nyc-high-later", actor=CLI)
            assert linked.accepted
            for words in ("(r1 and p1)", "trading closes 1 h apart", "station KNYC, unknown", "Not riskless"):
                assert words in linked.text, words
            (pair,) = bench.engine.state.pairs.values()
            assert (pair.first_rules, pair.second_rules, pair.by) == ("r1", "p1", CLI.name)
            (row,) = [row for row in bench.journal.rows if row.kind == "PAIR"]
            assert (row.actor, row.ticker) == (CLI.name, HOT)
            assert abs(pair.at_ms - row.ts_wall_ms) < 1000

    run_virtual(main)


def test_refusals_are_one_sentence_and_leave_nothing() -> None:
    def check(bench: Bench) -> None:
        over = twin("nyc-high-over", status=MarketStatus.CLOSED)
        bench.engine.catalogue.take(over)
        cases = (
            (link(bench, first="KXNONE"), "'KXNONE' is no market of this desk"),
            (link(bench, second=WARM), f"{HOT} and {WARM} are both on KAL: a pair needs two venues."),
            (link(bench, second=HOT), "are both on KAL"),
            (
                link(bench, second="nyc-high-over"),
                "nyc-high-over is closed: there is nothing left to compare.",
            ),
            (link(bench, quantity=contracts(0)), "0.00 contracts cannot be compared"),
            (link(bench, quantity=contracts(1) + 1), "cannot be compared: use hundredths"),
            (link(bench, quantity=QUANTITY_MAX + 10_000), "at most 100000.00"),
            (bench.engine.unlink_markets(HOT, SLUG, TRADER), "are not linked"),
        )
        for outcome, words in cases:
            assert not outcome.accepted and words in outcome.text, outcome.text
        assert link(bench, actor=VIEWER) is VIEWER_REFUSED
        assert bench.engine.unlink_markets(HOT, SLUG, VIEWER) is VIEWER_REFUSED
        assert not bench.engine.state.pairs and "PAIR" not in bench.kinds()

    on_a_desk(check)


def test_the_same_pair_is_linked_once_in_whichever_order_and_removed_in_either() -> None:
    def check(bench: Bench) -> None:
        assert link(bench).accepted
        for first, second in ((HOT, SLUG), (SLUG, HOT)):
            again = link(bench, first, second)
            assert not again.accepted and "are linked already; link remove comes first." in again.text
        assert bench.engine.unlink_markets(SLUG, HOT, TRADER).accepted
        assert not bench.engine.state.pairs
        assert states(bench) == ["linked", "removed"]

    on_a_desk(check)


def test_a_desk_keeps_so_many_pairs_and_no_more() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with two_venues(loop, *(twin(f"nyc-{n}") for n in range(PAIRS_MAX))) as bench:
            for n in range(PAIRS_MAX):
                assert link(bench, second=f"nyc-{n}").accepted
            refused = link(bench)
            assert not refused.accepted and f"{PAIRS_MAX} pairs are linked" in refused.text

    run_virtual(main)


def test_a_text_that_reads_differently_unpins_on_either_side_until_it_is_linked_again() -> None:
    def check(bench: Bench) -> None:
        for turn, (ticker, changed) in enumerate(
            ((SLUG, twin(rules_hash="p2")), (HOT, msgspec.structs.replace(ladder()[3], rules_hash="r2")))
        ):
            assert link(bench, SLUG, HOT).accepted if turn else link(bench).accepted
            told(bench, changed)
            (pair,) = bench.engine.state.pairs.values()
            assert pair.state is PairState.UNPINNED
            assert pair.key == (HOT, SLUG), "linked again, it stays where it is listed"
            assert pair.why == f"the rules of {ticker} read differently ({changed.rules_hash})"
            (alarm,) = [a for a in rung(bench, "is unpinned") if a.active]
            assert alarm.level is AlarmLevel.CHECK and ticker in alarm.what
        told(bench, ladder()[3])
        assert bench.engine.state.pairs[HOT, SLUG].state is PairState.UNPINNED, (
            "a person decides, not the text"
        )
        assert link(bench).accepted
        assert not [a for a in rung(bench, "is unpinned") if a.active]
        assert states(bench) == ["linked", "unpinned", "linked", "unpinned", "linked"]

    on_a_desk(check)


def test_a_market_that_is_over_ends_its_pairs_and_says_so_once() -> None:
    def check(bench: Bench) -> None:
        link(bench)
        told(bench, twin(status=MarketStatus.INACTIVE))
        assert bench.engine.state.pairs, "a pause is no end"
        told(bench, twin(status=MarketStatus.CLOSED, rules_hash="p2"))
        told(bench, twin(status=MarketStatus.DETERMINED))
        assert not bench.engine.state.pairs
        (note,) = rung(bench, f"ended: {SLUG} is closed")
        assert note.level is AlarmLevel.NOTE
        assert states(bench) == ["linked", "ended"]

    on_a_desk(check)


def test_a_restart_finds_the_pairs_as_they_were_and_notices_what_changed_meanwhile() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with two_venues(loop, twin("nyc-gone"), twin("nyc-over")) as bench:
            link(bench, opposite=True, quantity=contracts(25))
            for slug in ("nyc-gone", "nyc-over"):
                link(bench, second=slug)
            bench.engine.unlink_markets(HOT, "nyc-gone", TRADER)
            before, rows = dict(bench.engine.state.pairs), list(bench.journal.rows)
            venues = bench.venue, other(bench)
        async with two_venues(loop, earlier=venues, history=rows, run="r2") as again:
            assert again.engine.state.pairs == before
            rows += again.journal.rows
        changed = twin(rules_hash="p2"), twin("nyc-over", status=MarketStatus.FINALIZED)
        venues[1].listed = changed
        async with two_venues(loop, earlier=venues, history=rows, run="r3") as third:
            (pair,) = third.engine.state.pairs.values()
            assert (pair.second, pair.state, pair.opposite) == (SLUG, PairState.UNPINNED, True)
            assert pair.by == TRADER.name and pair.quantity == contracts(25)
            rows += third.journal.rows
        async with two_venues(loop, earlier=venues, history=rows, run="r4") as fourth:
            assert [a.level for a in rung(fourth, "is unpinned")] == [AlarmLevel.CHECK], (
                "it rings until linked"
            )
            assert states(fourth) == [], "and nothing new was written"

    run_virtual(main)


def asked(bench: Bench) -> dict[str, object]:
    snapshot = Snapshot(bench.engine.desk)
    (found,) = msgspec.json.decode(answer("links", snapshot.query_rows("links"), snapshot.now()))
    return dict(found)


def test_the_texts_a_link_rests_on_can_be_read() -> None:
    def check(bench: Bench) -> None:
        told(bench, twin(rules="Settles by the airport's station.", rules_hash="p2"))
        served = Served(bench.engine)
        found = msgspec.json.decode(served.command(Query("1", "rules", SLUG), CLI).data)
        assert found == {
            "ticker": SLUG,
            "venue": "polymarket",
            "hash": "p2",
            "pinned": "p1",
            "series": "KXHIGHNY",
            "waits": "",
            "mark": "",
            "text": "Settles by the airport's station.",
        }
        unknown = served.command(Query("2", "rules", "KXNONE"), CLI)
        assert not unknown.accepted and "'KXNONE' is no market of this desk" in unknown.text

    on_a_desk(check)


def test_what_is_shown_is_the_difference_of_both_books_as_they_are() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with two_venues(loop) as bench:
            bench.venue.quote(HOT, 42, 44)
            link(bench)
            await asyncio.sleep(1.5)
            shown = asked(bench)
            yes, no = shown["ways"]  # type: ignore[misc]  # two, always
            assert yes == {
                "first": "YES",
                "second": "NO",
                "quantity": "10.00",
                "cost": "9.40",
                "fee": "0.29858",
                "difference": "0.0301",
                "why": "",
            }
            assert no["difference"] == "-0.1297"
            assert (shown["first_venue"], shown["second_venue"]) == ("kalshi", "polymarket")
            ages = {shown["first_book_age_s"], shown["second_book_age_s"]}
            assert all(isinstance(age, float) and 1.5 <= age < 1.6 for age in ages)
            assert shown["state"] == "linked" and shown["apart"] == []

    run_virtual(main)


def test_no_figure_is_shown_from_a_book_that_cannot_be_trusted_or_a_text_that_changed() -> None:
    def why(bench: Bench) -> object:
        return [(way["difference"], way["why"]) for way in asked(bench)["ways"]]  # type: ignore[attr-defined]

    def check(bench: Bench) -> None:
        link(bench)
        bench.venue.link = Link(LinkState.DOWN, 0)
        assert why(bench) == [(None, "the stream of KAL is DOWN")] * 2
        bench.venue.link = Link(LinkState.OK, 0)
        view = other(bench).books[SLUG]
        view.intact = False
        assert why(bench) == [(None, f"POLY vouches for no book of {SLUG}")] * 2
        other(bench).touch(SLUG)
        view.book.set(BookSide.BID, Price(5500), contracts(9))
        assert why(bench) == [(None, f"the book of {SLUG} is crossed")] * 2
        other(bench).quote(SLUG, 50, 52)
        told(bench, twin(status=MarketStatus.INACTIVE))
        assert why(bench) == [(None, f"{SLUG} is inactive")] * 2
        told(bench, twin(rules_hash="p2"))
        assert why(bench) == []

    on_a_desk(check)


def test_fees_announced_for_now_are_those_compared() -> None:
    def check(bench: Bench) -> None:
        link(bench)
        before = asked(bench)["ways"][0]["fee"]  # type: ignore[index]
        now, free = bench.engine.desk.clocks.world_ms(), FeeSchedule(FeeType.TAKER_CURVE, multiplier_e6=0)
        told(bench, twin(fee_changes=(FeeChange(now + 10_000, free),)))
        assert asked(bench)["ways"][0]["fee"] == before  # type: ignore[index]
        told(bench, twin(fee_changes=(FeeChange(now, free),)))
        assert float(asked(bench)["ways"][0]["fee"]) == pytest.approx(float(before) - 0.125)  # type: ignore[index]

    on_a_desk(check)


def test_a_market_that_left_the_desk_leaves_the_pair_listed_without_a_figure() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with two_venues(loop) as bench:
            link(bench)
            rows, venues = list(bench.journal.rows), (bench.venue, other(bench))
        venues[1].listed = ()
        async with two_venues(loop, earlier=venues, history=rows, run="r2") as again:
            shown = asked(again)
            assert [way["why"] for way in shown["ways"]] == [f"{SLUG} is not on the desk"] * 2  # type: ignore[attr-defined]
            assert shown["second_venue"] is None
            assert again.engine.unlink_markets(HOT, SLUG, TRADER).accepted

    run_virtual(main)

"""The client against the simulated Kalshi over real sockets: orders, books, faults, settlement."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from core.domain.market import CENT_GRID, FeeSchedule, FeeType, MarketStatus, Venue
from core.domain.order import BookSide, OrderIntent, Purpose, TimeInForce
from core.domain.units import Money, Price, contracts, parse_money
from core.sim import orders as sim_orders
from core.venues.exchange import Cash
from core.venues.kalshi.venue import KalshiVenue
from core.venues.venue import (
    UNSEALED,
    Accepted,
    Cancelled,
    Incomplete,
    LinkState,
    NeverSent,
    NotThere,
    Rejected,
    ReportStatus,
    Unresolved,
    VenueGateway,
    verified_ns,
)

SERIES, EVENT = "KXHIGHNY", "KXHIGHNY-26NOV23"
BRACKET = f"{EVENT}-B48.5"


def intent(client_order_id: str, side: BookSide, price: int, count: int, **change: Any) -> OrderIntent:
    fields: dict[str, Any] = {
        "client_order_id": client_order_id,
        "venue": Venue.KALSHI,
        "ticker": BRACKET,
        "side": side,
        "purpose": Purpose.OPEN,
        "price": Price(price),
        "quantity": contracts(count),
        "tif": TimeInForce.GTC,
        "post_only": True,
        "reduce_only": False,
        "expires_ms": None,
        "created_ms": 0,
        "reserved": Money(0),
    }
    return OrderIntent(**(fields | change))


def crowd(sim: Any, side: BookSide, price: int, count: int, ticker: str = BRACKET) -> None:
    """Somebody else's order."""
    sim_side = sim_orders.BookSide(side.value)
    placed = sim.exchange.place(
        sim_orders.OrderRequest(
            "crowd", ticker, sim_side, Price(price), contracts(count), sim_orders.TimeInForce.GTC
        )
    )
    assert isinstance(placed, sim_orders.Placed), placed


def settle(sim: Any, *others: str) -> None:
    results = {BRACKET: "yes"} | dict.fromkeys(others, "no")
    for ticker in results:
        sim.exchange.move_close(ticker, sim.clocks.world_ms() - 1)
    sim.exchange.advance()
    for ticker, result in results.items():
        sim.exchange.determine(ticker, result, "48")
    sim.exchange.advance()


def allow() -> None:
    return None


@pytest.fixture
async def venue(sim: Any, recorder: Any, run_venue: Callable[[KalshiVenue], Any]) -> Any:
    """A connected client that watches the bracket."""
    client: VenueGateway = sim.client(recorder)
    listed = await client.markets([SERIES])
    assert not isinstance(listed, Incomplete)
    await client.subscribe([market.ticker for market in listed])
    crowd(sim, BookSide.BID, 3_000, 20)
    crowd(sim, BookSide.ASK, 3_600, 20)
    async with run_venue(client):
        await recorder.until(lambda: recorder.reconnects == 1 and client.books[BRACKET].intact)
        yield client


async def test_markets_come_with_labels_terms_and_station(sim: Any, recorder: Any) -> None:
    client = sim.client(recorder)
    listed = await client.markets([SERIES])
    await client.close()
    assert not isinstance(listed, Incomplete)
    assert sorted(m.label for m in listed) == ["NYC hi Nov23 48-49", "NYC hi Nov23 <=45", "NYC hi Nov23 >=54"]
    market = next(m for m in listed if m.ticker == BRACKET)
    assert (market.station, market.climate_day) == ("KNYC", "2026-11-23")
    assert (market.grid, market.exclusive, market.status) == (CENT_GRID, True, MarketStatus.ACTIVE)
    assert market.fees.multiplier_e6 == 1_000_000
    assert recorder.anomalies == []


async def test_a_market_read_by_its_ticker_alone_is_as_good_as_a_listed_one(
    sim: Any, recorder: Any, run_venue: Callable[[KalshiVenue], Any]
) -> None:
    """Something may be held in a series that is not traded here."""
    client = sim.client(recorder)
    async with run_venue(client):
        assert isinstance(await client.book_now(BRACKET), Incomplete)
        alone = await client.market(BRACKET)
        assert not isinstance(alone, Incomplete)
        await client.subscribe([BRACKET])
        crowd(sim, BookSide.BID, 3_000, 20)
        await recorder.until(lambda: BRACKET in client.books and client.books[BRACKET].intact)
        assert not isinstance(await client.book_now(BRACKET), Incomplete)
        listed = await client.markets([SERIES])
        assert not isinstance(listed, Incomplete) and alone in listed
        assert await client.last_price(BRACKET) is None
        await client.place(intent("pm-1", BookSide.ASK, 3_000, 5, post_only=False), UNSEALED, allow)
        assert await client.last_price(BRACKET) == 3_000
        assert isinstance(await client.market("KXNONE-26-B1"), Incomplete)


@pytest.mark.parametrize("key", [0, 1], ids=["ed25519", "rsa"])
async def test_both_kinds_of_key_sign(sim: Any, recorder: Any, key: int) -> None:
    client = sim.client(recorder, key)
    assert await client.cash() == Cash(parse_money("1000"), {0: parse_money("1000")})
    await client.close()


async def test_a_resting_order_lives_and_dies(venue: Any, recorder: Any, sim: Any) -> None:
    placed = await venue.place(intent("c-1", BookSide.BID, 3_200, 10), UNSEALED, allow)
    assert isinstance(placed, Accepted)
    assert (placed.filled, placed.remaining) == (0, contracts(10))
    await recorder.until(lambda: venue.books[BRACKET].book.best_bid == 3_200)
    await recorder.until(lambda: any(o.order_id == placed.order_id for o in recorder.orders))
    report = await venue.order(placed.order_id)
    assert (report.client_order_id, report.status, report.remaining) == (
        "c-1",
        ReportStatus.RESTING,
        contracts(10),
    )
    assert [o.order_id for o in await venue.orders(status=ReportStatus.RESTING)] == [placed.order_id]
    assert await venue.queue_ahead([BRACKET]) == {placed.order_id: 0}
    assert await venue.cancel([(placed.order_id, BRACKET)]) == (Cancelled(placed.order_id, contracts(10)),)
    await recorder.until(lambda: venue.books[BRACKET].book.best_bid == 3_000)
    assert isinstance((await venue.cancel([(placed.order_id, BRACKET)]))[0], NotThere)
    assert (await venue.order(placed.order_id)).status is ReportStatus.CANCELED
    assert await venue.order("no-such-order") is None


async def test_a_fill_arrives_once_and_agrees_with_the_lists(venue: Any, recorder: Any, sim: Any) -> None:
    placed = await venue.place(intent("c-2", BookSide.BID, 3_200, 10), UNSEALED, allow)
    crowd(sim, BookSide.ASK, 3_200, 4)
    await recorder.until(lambda: bool(recorder.fills))
    fill, client_order_id = recorder.fills[0]
    assert (client_order_id, fill.order_id, fill.price, fill.quantity, fill.fee, fill.is_taker) == (
        "c-2",
        placed.order_id,
        3_200,
        contracts(4),
        0,
        False,
    )
    assert await venue.fills() == (fill,)
    assert [(p.ticker, p.net) for p in await venue.positions()] == [(BRACKET, contracts(4))]
    assert (await venue.cash()).on(0) == parse_money("1000") - 320_000 * 10
    await recorder.until(lambda: len(recorder.positions) >= 2)
    told = {(report.ticker, report.net, trade) for report, trade in recorder.positions}
    assert told == {(BRACKET, contracts(4), fill.trade_id), (BRACKET, contracts(4), "")}
    await recorder.until(lambda: bool(recorder.prints))
    (seen,) = recorder.prints
    assert (seen.ticker, seen.price, seen.quantity, seen.taker) == (
        BRACKET,
        3_200,
        contracts(4),
        BookSide.ASK,
    )


async def test_batch_cancel_answers_each_order(venue: Any) -> None:
    ids = []
    for number in range(3):
        placed = await venue.place(
            intent(f"b-{number}", BookSide.BID, 2_000 + 100 * number, 1), UNSEALED, allow
        )
        ids.append(placed.order_id)
    asked = [(order_id, BRACKET) for order_id in [ids[0], "unknown-order", *ids[1:]]]
    outcomes = await venue.cancel(asked)
    assert [type(o) for o in outcomes] == [Cancelled, NotThere, Cancelled, Cancelled]
    assert [o.order_id for o in outcomes] == [order_id for order_id, _ in asked]


async def test_a_last_check_stops_the_order_before_its_bytes(venue: Any, sim: Any) -> None:
    outcome = await venue.place(intent("c-3", BookSide.BID, 3_200, 1), UNSEALED, lambda: "halted")
    assert outcome == NeverSent("halted")
    assert await venue.orders() == ()
    assert isinstance(await venue.place(intent("c-3", BookSide.BID, 3_200, 1), UNSEALED, allow), Accepted)


async def test_refusals_are_proof_and_duplicates_are_not(venue: Any) -> None:
    crossing = await venue.place(intent("c-4", BookSide.BID, 3_600, 1), UNSEALED, allow)
    assert isinstance(crossing, Rejected) and crossing.code == "invalid_order"
    first = await venue.place(intent("c-5", BookSide.BID, 3_100, 1), UNSEALED, allow)
    again = await venue.place(intent("c-5", BookSide.BID, 3_100, 1), UNSEALED, allow)
    assert isinstance(first, Accepted)
    assert again == Unresolved("duplicate id: look it up")


async def test_an_answer_that_never_came_is_unresolved(venue: Any, sim: Any) -> None:
    sim.faults.lose_next_create_answer("desk", 0)
    outcome = await venue.place(intent("c-6", BookSide.BID, 3_100, 1), UNSEALED, allow)
    assert isinstance(outcome, Unresolved)
    assert [o.client_order_id for o in await venue.orders(ticker=BRACKET)] == ["c-6"]


async def test_outage_answers_are_unresolved_for_orders_and_incomplete_for_reads(
    venue: Any, sim: Any
) -> None:
    sim.faults.refuse("/portfolio", 503, b"<html>gone</html>")
    assert isinstance(await venue.place(intent("c-7", BookSide.BID, 3_100, 1), UNSEALED, allow), Unresolved)
    sim.faults.clear()
    sim.faults.refuse("/portfolio", 403, b'{"error":{"code":"forbidden","message":"no"}}')
    assert isinstance(await venue.fills(), Incomplete)
    sim.faults.clear()


async def test_a_read_survives_two_bad_answers(venue: Any, sim: Any) -> None:
    sim.faults.refuse("/portfolio/positions", 502, b"bad gateway", count=2)
    assert await venue.positions() == ()


async def test_nobody_listening_is_never_sent(sim: Any, recorder: Any) -> None:
    port, sim.port = sim.port, 1
    client = sim.client(recorder)
    sim.port = port
    outcome = await client.place(intent("c-8", BookSide.BID, 3_100, 1), UNSEALED, allow)
    await client.close()
    assert isinstance(outcome, NeverSent)


async def test_the_pong_keeps_a_quiet_book_verified(venue: Any, recorder: Any) -> None:
    await recorder.until(lambda: venue.link.state is LinkState.OK)
    view = venue.books[BRACKET]
    assert verified_ns(view, venue.link) >= view.message_ns
    assert venue.link.heartbeat_ns > 0


async def test_a_sequence_gap_rebuilds_the_books(venue: Any, recorder: Any, sim: Any) -> None:
    sim.faults.gap_seq("desk")
    crowd(sim, BookSide.BID, 3_100, 5)
    await recorder.until(lambda: any(what == "sequence gap" for what, _ in recorder.anomalies))
    await recorder.until(lambda: venue.books[BRACKET].intact)
    assert venue.books[BRACKET].book.best_bid == 3_100


async def test_a_garbled_book_is_untrue_until_its_snapshot(venue: Any, recorder: Any, sim: Any) -> None:
    others = [t for t in venue.books if t != BRACKET]
    crowd(sim, BookSide.BID, 3_100, 5)
    sim.faults.freeze_books([BRACKET])
    await recorder.until(lambda: not venue.books[BRACKET].intact)
    assert all(venue.books[ticker].intact for ticker in others)
    crowd(sim, BookSide.BID, 3_300, 5)
    sim.faults.thaw_books([BRACKET])
    await recorder.until(lambda: venue.books[BRACKET].intact)
    assert venue.books[BRACKET].book.best_bid == 3_300


async def test_a_cut_socket_is_reopened(venue: Any, recorder: Any, sim: Any) -> None:
    sim.faults.drop_ws("desk")
    await recorder.until(lambda: recorder.links[-1].state is LinkState.DOWN)
    assert not venue.books[BRACKET].intact
    crowd(sim, BookSide.BID, 3_400, 5)
    await recorder.until(lambda: recorder.reconnects == 2 and venue.books[BRACKET].intact)
    assert venue.books[BRACKET].book.best_bid == 3_400
    assert venue.link.state is LinkState.OK


async def test_books_equal_the_exchange_after_many_orders(venue: Any, recorder: Any, sim: Any) -> None:
    rng = random.Random(3)
    for _ in range(300):
        side = rng.choice(list(BookSide))
        crowd(sim, side, rng.randrange(2_500, 3_400, 100) + (700 if side is BookSide.ASK else 0), 1)
    crowd(sim, BookSide.BID, 1_100, 7)
    await recorder.until(lambda: venue.books[BRACKET].book.size(BookSide.BID, Price(1_100)) > 0)
    theirs, ours = sim.exchange.book(BRACKET), venue.books[BRACKET].book
    assert ours.levels(BookSide.BID, 99) == list(theirs.bids)
    assert ours.levels(BookSide.ASK, 99) == list(theirs.asks)


async def test_a_settled_market_reports_its_payout(venue: Any, recorder: Any, sim: Any) -> None:
    await venue.place(
        intent("c-9", BookSide.BID, 3_600, 2, tif=TimeInForce.IOC, post_only=False), UNSEALED, allow
    )
    settle(sim)
    await recorder.until(lambda: bool(recorder.settlements))
    assert (recorder.settlements[0].ticker, recorder.settlements[0].payout) == (BRACKET, 10_000)
    assert recorder.markets[-1].status is MarketStatus.FINALIZED
    paid = await venue.settlements()
    assert [(s.ticker, s.payout, s.result) for s in paid] == [(BRACKET, 10_000, "yes")]


async def test_a_new_event_of_a_followed_series_is_heard_of(venue: Any, recorder: Any, sim: Any) -> None:
    sim.list_event("KXHIGHNY-26NOV24", sim.clock.wall_ms())
    await recorder.until(lambda: len({m.ticker for m in recorder.markets}) >= 3)
    assert {m.climate_day for m in recorder.markets} == {"2026-11-24"}


async def test_limits_are_learnt_from_the_account(venue: Any, recorder: Any) -> None:
    async with asyncio.timeout(10):
        while not venue.entry_budget(3_000, 0):
            await venue.positions()
    assert not venue.entry_budget(9_000, 0)
    offset_ms = venue.clock_offset_ms()
    assert offset_ms is not None and abs(offset_ms) < 1_500


async def test_a_paid_market_is_dropped_with_its_book(venue: Any, recorder: Any, sim: Any) -> None:
    assert BRACKET in venue.books
    settle(sim)
    await recorder.until(lambda: bool(recorder.settlements))
    assert BRACKET not in venue.books
    crowd(sim, BookSide.BID, 1_000, 1, f"{EVENT}-T53")
    await recorder.until(lambda: venue.books[f"{EVENT}-T53"].book.best_bid == 1_000)
    assert venue.books[f"{EVENT}-T53"].intact


@pytest.mark.parametrize("others", [(), (f"{EVENT}-T53", f"{EVENT}-T46")], ids=["one", "the whole event"])
async def test_an_end_nobody_told_us_of_is_found_by_the_next_lists(
    sim: Any, recorder: Any, run_venue: Callable[[KalshiVenue], Any], others: tuple[str, ...]
) -> None:
    client = sim.client(recorder)
    assert not isinstance(await client.markets([SERIES]), Incomplete)
    settle(sim, *others)
    async with run_venue(client):
        for _ in range(3):
            listed = await client.markets([SERIES])
            assert not isinstance(listed, Incomplete)
        await recorder.until(lambda: len(recorder.settlements) == 1 + len(others))
        assert {report.ticker for report in recorder.settlements} == {BRACKET, *others}
        told = [*recorder.markets, *listed]
        assert {m.ticker for m in told if m.status is MarketStatus.FINALIZED} == {BRACKET, *others}
    assert recorder.anomalies == []


async def test_a_changed_series_fee_is_in_the_next_list(sim: Any, recorder: Any) -> None:
    """A series' fees change on a schedule and no message tells: only reading the list again does."""
    client = sim.client(recorder)
    before = await client.markets([SERIES])
    dearer = {"fee_type": "quadratic_with_maker_fees", "fee_multiplier": 0.5}
    sim.exchange.list_series(msgspec.structs.replace(sim.exchange.series[SERIES], **dearer))
    after = await client.markets([SERIES])
    await client.close()
    assert {m.fees for m in before} == {FeeSchedule(FeeType.QUADRATIC)}
    assert {m.fees for m in after} == {FeeSchedule(FeeType.QUADRATIC_WITH_MAKER_FEES, 500_000)}

"""pykalshi (github.com/ArshKA/pykalshi), which speaks the current order protocol, at a desk of ours."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

pytestmark = pytest.mark.filterwarnings("default")

WAIT_S = 10.0


@pytest.fixture
def client(peer: Any) -> Iterator[Any]:
    pykalshi = pytest.importorskip("pykalshi", minversion="2.0", reason="pykalshi 2 is not installed")
    with pykalshi.KalshiClient(
        api_key_id=peer.rsa["key_id"], private_key_path=peer.rsa["private_key_path"], api_base=peer.rest
    ) as client:
        yield client


@pytest.fixture
def market(client: Any) -> Any:
    """A market near even odds, quoted on both sides."""
    from pykalshi import MarketStatus

    every = client.get_markets(status=MarketStatus.OPEN, limit=7, fetch_all=True)
    assert len(every) == len({m.ticker for m in every}) == 60
    return next(m for m in every if 0.3 < float(m.yes_ask_dollars) < 0.6)


def test_it_reads_everything_public(client: Any, market: Any) -> None:
    assert client.exchange.get_status().trading_active
    assert client.get_series("KXHIGHNY").ticker == "KXHIGHNY"
    event = client.get_event(market.event_ticker, with_nested_markets=True)
    assert event.event_ticker == market.event_ticker
    assert len(client.get_events(limit=3, fetch_all=True)) == 10
    book = market.get_orderbook()
    best_no = max(price for price, _ in book.orderbook.no_dollars)
    assert max(price for price, _ in book.orderbook.yes_dollars) == market.yes_bid_dollars
    assert float(best_no) + float(market.yes_ask_dollars) == pytest.approx(1.0)


def test_it_places_changes_cancels_and_exits(client: Any, market: Any) -> None:
    from pykalshi import Action, OrderStatus, Side, TimeInForce

    desk, ticker, bid = client.portfolio, market.ticker, market.yes_bid_dollars
    before = float(desk.get_balance().balance)
    order = desk.place_order(
        ticker, book_side="bid", count_fp="10.00", price_dollars=bid, post_only=True, client_order_id="peer-1"
    )
    assert order.status is OrderStatus.RESTING
    assert [o.order_id for o in desk.get_orders(status=OrderStatus.RESTING)] == [order.order_id]
    assert float(desk.get_queue_position(order.order_id).queue_position_fp) > 0
    desk.amend_order(order.order_id, count_fp="12.00")
    desk.decrease_order(order.order_id, "2.00")
    assert desk.get_order(order.order_id).data.remaining_count_fp == "10.00"
    desk.cancel_order(order.order_id)
    assert desk.get_order(order.order_id).status is OrderStatus.CANCELED
    taken = desk.place_order(
        ticker,
        Action.BUY,
        Side.YES,
        "5.00",
        yes_price_dollars=market.yes_ask_dollars,
        time_in_force=TimeInForce.IOC,
    )
    assert taken.status is OrderStatus.EXECUTED
    assert [(p.ticker, p.position_fp) for p in desk.get_positions()] == [(ticker, "5.00")]
    out = desk.place_order(
        ticker,
        book_side="ask",
        count_fp="50.00",
        price_dollars=bid,
        time_in_force=TimeInForce.IOC,
        reduce_only=True,
    )
    assert out.data.fill_count_fp == "5.00"
    fills = desk.get_fills(ticker=ticker)
    assert [(f.count_fp, f.book_side.value, f.is_taker) for f in fills] == [
        ("5.00", "ask", True),
        ("5.00", "bid", True),
    ]
    assert {p.position_fp for p in desk.get_positions()} == {"0.00"}
    paid = 500 * (float(market.yes_ask_dollars) - float(bid)) + 100 * sum(
        float(f.fee_cost_dollars) for f in fills
    )
    # The second balance within a second meets its own bucket; the client waits and asks again.
    assert before - float(desk.get_balance().balance) == pytest.approx(paid, abs=1.0)


def test_it_batches(client: Any, market: Any) -> None:
    desk = client.portfolio
    common = {"ticker": market.ticker, "action": "buy", "count_fp": "1.00"}
    placed = desk.batch_place_orders(
        [
            common | {"side": "yes", "yes_price_dollars": "0.01"},
            common | {"side": "no", "no_price_dollars": "0.01"},
        ]
    )
    assert [o.data.book_side.value for o in placed] == ["bid", "ask"]
    desk.batch_cancel_orders([o.order_id for o in placed])
    assert {desk.get_order(o.order_id).status.value for o in placed} == {"canceled"}


@pytest.mark.parametrize(
    ("change", "raised", "status", "code"),
    [
        ({"price_dollars": "0.015"}, "OrderRejectedError", 400, "invalid_price"),
        ({"count_fp": "99999.00"}, "InsufficientFundsError", 400, "insufficient_balance"),
        (
            {"count_fp": "20000.00", "price_dollars": "0.01", "time_in_force": "fill_or_kill"},
            "KalshiAPIError", 409, "fill_or_kill_insufficient_resting_volume",
        ),
        ({"reduce_only": True}, "KalshiAPIError", 400, "invalid_order"),
        ({"ticker": "KXNOSUCH-1"}, "ResourceNotFoundError", 404, "market_not_found"),
    ],
    ids=["grid", "cash", "fok", "reduce", "ticker"],
)  # fmt: skip
def test_it_understands_refusals(
    client: Any, market: Any, change: dict[str, Any], raised: str, status: int, code: str
) -> None:
    from pykalshi import TimeInForce, exceptions

    order = {
        "ticker": market.ticker,
        "book_side": "bid",
        "count_fp": "1.00",
        "price_dollars": "0.02",
    } | change
    if "time_in_force" in order:
        order["time_in_force"] = TimeInForce(order["time_in_force"])
    with pytest.raises(getattr(exceptions, raised)) as refused:
        client.portfolio.place_order(**order)
    assert (refused.value.status_code, refused.value.error_code) == (status, code)


def test_its_feed_follows_books_and_our_own_orders(peer: Any, client: Any, market: Any) -> None:
    from pykalshi.feed import FillMessage, OrderbookSnapshotMessage, PositionMessage, UserOrderMessage
    from pykalshi.orderbook import OrderbookManager

    book, kinds, flat, error = OrderbookManager(market.ticker), set[type](), threading.Event(), []
    booked = threading.Event()

    def on_book(message: Any) -> None:
        if isinstance(message, OrderbookSnapshotMessage):
            book.apply_snapshot(message.yes_dollars, message.no_dollars)
            booked.set()
        else:
            book.apply_delta(message.side, message.price_dollars, message.delta_fp)

    def on_position(message: Any) -> None:
        kinds.add(type(message))
        if message.position_fp == "0.00":
            flat.set()

    feed = client.feed()
    feed._ws_url = peer.ws  # the client knows its own two hosts only
    feed.on("orderbook_delta", on_book)
    feed.on("market_positions", on_position)
    feed.on("error", error.append)
    for channel in ("fill", "user_orders"):
        feed.on(channel, lambda message: kinds.add(type(message)))
    feed.subscribe("orderbook_delta", market_ticker=market.ticker)
    for channel in ("fill", "user_orders", "market_positions"):
        feed.subscribe(channel)
    with feed:
        assert booked.wait(WAIT_S)
        from pykalshi import TimeInForce

        trade = {"ticker": market.ticker, "count_fp": "3.00", "time_in_force": TimeInForce.IOC}
        client.portfolio.place_order(book_side="bid", price_dollars=market.yes_ask_dollars, **trade)
        client.portfolio.place_order(book_side="ask", price_dollars=market.yes_bid_dollars, **trade)
        assert flat.wait(WAIT_S)
    assert error == []
    assert kinds == {FillMessage, PositionMessage, UserOrderMessage}
    seen = client.get_market(market.ticker).get_orderbook().orderbook
    assert book.yes == dict(seen.yes_dollars)
    assert book.no == dict(seen.no_dollars)

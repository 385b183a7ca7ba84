"""The stream's rules without a socket: sequence, snapshots, repairs, renewals, hostile bytes."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.domain.book import new_book
from core.domain.market import CENT_GRID, PriceBand, TickGrid
from core.domain.order import BookSide
from core.domain.units import ONE_DOLLAR, Price, contracts
from core.venues.kalshi.channel import DESK, GROUPS, NEEDED, Wanted
from core.venues.kalshi.facts import (
    BookChanged,
    FillSeen,
    GiveUp,
    MarketEvent,
    Missed,
    Oddity,
    OrderSeen,
    PositionSeen,
    PrivateReady,
    TradeSeen,
    ValueSeen,
)
from core.venues.kalshi.stream import StreamState
from core.venues.kalshi.tape import Trade
from core.venues.published import Mean, Published
from core.venues.venue import PositionReport

S = 1_000_000_000
A, B = "KX-A", "KX-B"
FILL = {
    "trade_id": "t-1",
    "order_id": "o-1",
    "client_order_id": "c-1",
    "market_ticker": A,
    "is_taker": True,
    "yes_price_dollars": "0.3200",
    "count_fp": "4.00",
    "fee_cost": "0.060928",
    "book_side": "bid",
    "ts_ms": 1_795_420_011_000,
}
ORDER = {
    "order_id": "o-1",
    "ticker": A,
    "client_order_id": "c-1",
    "book_side": "ask",
    "status": "resting",
    "yes_price_dollars": "0.3200",
    "initial_count_fp": "10.00",
    "fill_count_fp": "4.00",
    "remaining_count_fp": "6.00",
}

TAPE_SID = [one.channel for one in DESK].index("trade") + 1


class Desk:
    """A stream state with a hand on the clock and on what the venue says."""

    def __init__(self, tickers: tuple[str, ...] = (A, B), *, subscribed: bool = True) -> None:
        self.state, self.now, self.seq = StreamState(), 0, 0
        self.state.watch([(t, CENT_GRID) for t in tickers], self.now)
        self.state.opened(self.now)
        self.sent = self.commands()
        if subscribed:
            for sid, channel in enumerate([one.channel for one in DESK], 1):
                self.say({"type": "subscribed", "id": sid, "msg": {"channel": channel, "sid": sid}})
            for ticker in tickers:
                self.snapshot(ticker)

    def commands(self) -> list[dict[str, Any]]:
        return [json.loads(command) for command in self.state.commands()]

    def say(self, message: dict[str, Any]) -> list[Any]:
        return list(self.state.feed(json.dumps(message).encode(), self.now))

    def book(self, kind: str, body: dict[str, Any], skip: int = 0, sid: int = 1) -> list[Any]:
        self.seq += 1 + skip
        return self.say({"type": kind, "sid": sid, "seq": self.seq, "msg": body})

    def snapshot(self, ticker: str, skip: int = 0, **change: Any) -> list[Any]:
        body = {
            "market_ticker": ticker,
            "yes_dollars_fp": [["0.3000", "120.00"], ["0.3100", "210.00"]],
            "no_dollars_fp": [["0.3500", "40.00"], ["0.3300", "85.50"]],
        }
        return self.book("orderbook_snapshot", body | change, skip)

    def delta(self, ticker: str, price: str, change: str, side: str = "yes", **more: Any) -> list[Any]:
        skip = more.pop("skip", 0)
        body = {"market_ticker": ticker, "price_dollars": price, "delta_fp": change, "side": side}
        return self.book("orderbook_delta", body | more, skip)

    def later(self, seconds: float) -> list[Any]:
        self.now += int(seconds * S)
        return list(self.state.tick(self.now))


def kinds(facts: list[Any]) -> list[type]:
    return [type(fact) for fact in facts]


def test_opening_asks_for_yes_prices_and_everything_of_ours() -> None:
    desk = Desk(subscribed=False)
    params = [command["params"] for command in desk.sent]
    assert {c["cmd"] for c in desk.sent} == {"subscribe"}
    assert {"channels": ["orderbook_delta"], "market_tickers": [A, B], "use_yes_price": True} in params
    assert [p["channels"] for p in params if "use_yes_price" not in p] == [
        ["fill"],
        ["user_orders"],
        ["market_lifecycle_v2"],
        ["market_positions"],
        ["order_group_updates"],
        ["trade"],
    ]
    assert {"channels": ["trade"], "market_tickers": [A, B]} in params, "of all markets they would be a flood"
    assert len({c["id"] for c in desk.sent}) == len(DESK)


def test_private_channels_are_ready_once_both_are_confirmed() -> None:
    desk = Desk(subscribed=False)
    assert desk.say({"type": "subscribed", "msg": {"channel": "fill", "sid": 7}}) == []
    assert desk.say({"type": "subscribed", "msg": {"channel": "user_orders", "sid": 8}}) == [PrivateReady()]


def test_snapshot_then_deltas_make_the_book() -> None:
    desk = Desk()
    book = desk.state.books[A].book
    assert (book.best_bid, book.best_ask) == (3_100, 3_300)
    assert desk.delta(A, "0.3100", "-54.00") == [BookChanged(A)]
    assert book.size(BookSide.BID, Price(3_100)) == contracts(156)
    desk.delta(A, "0.3300", "-85.50", "no")
    assert book.best_ask == 3_500
    view = desk.state.books[A]
    assert (view.intact, view.sequence, view.message_ns) == (True, desk.seq, desk.now)
    assert desk.state.books[B].book.best_ask == 3_300


def test_changes_already_in_the_snapshot_are_not_applied_twice() -> None:
    desk = Desk()
    desk.snapshot(A, clock=100)
    desk.delta(A, "0.3100", "5.00", clock=100)
    assert desk.state.books[A].book.size(BookSide.BID, Price(3_100)) == contracts(210)
    desk.delta(A, "0.3100", "5.00", clock=101)
    assert desk.state.books[A].book.size(BookSide.BID, Price(3_100)) == contracts(215)


def test_a_gap_distrusts_every_book_until_its_snapshot() -> None:
    desk = Desk()
    facts = desk.delta(A, "0.3100", "5.00", skip=1)
    assert kinds(facts) == [Oddity, BookChanged, BookChanged]
    assert not desk.state.books[A].intact and not desk.state.books[B].intact
    [command] = desk.commands()
    assert command["params"] == {"sids": [1], "market_tickers": [A, B], "action": "get_snapshot"}
    assert desk.delta(B, "0.3100", "5.00") == []
    desk.snapshot(B)
    assert (desk.state.books[A].intact, desk.state.books[B].intact) == (False, True)
    desk.snapshot(A)
    assert desk.state.books[A].intact
    assert desk.later(6) == []
    assert desk.commands() == []


def test_a_repeated_number_is_a_gap_too() -> None:
    desk = Desk()
    assert Oddity in kinds(desk.delta(A, "0.3100", "5.00", skip=-1))
    assert not desk.state.books[A].intact


def test_a_message_that_comes_twice_is_one_message() -> None:
    desk = Desk()
    message = json.dumps(
        {
            "type": "orderbook_delta",
            "sid": 1,
            "seq": desk.seq + 1,
            "msg": {"market_ticker": A, "price_dollars": "0.3100", "delta_fp": "5.00", "side": "yes"},
        }
    ).encode()
    for facts in ([BookChanged(A)], [], []):
        assert list(desk.state.feed(message, desk.now)) == facts
    assert desk.state.books[A].intact
    assert desk.state.books[A].book.size(BookSide.BID, Price(3_100)) == contracts(215)


def test_control_replies_count() -> None:
    desk = Desk()
    desk.book("ok", {"market_tickers": [A, B]})
    assert desk.delta(A, "0.3100", "5.00") == [BookChanged(A)]


def test_a_second_gap_renews_the_subscription() -> None:
    desk = Desk()
    desk.delta(A, "0.3100", "5.00", skip=1)
    desk.commands()
    desk.delta(A, "0.3100", "5.00", skip=1)
    assert [c["cmd"] for c in desk.commands()] == ["unsubscribe"]
    desk.book("unsubscribed", {})
    [again] = desk.commands()
    assert again["cmd"] == "subscribe" and again["params"]["market_tickers"] == [A, B]
    desk.say({"type": "subscribed", "msg": {"channel": "orderbook_delta", "sid": 9}})
    desk.seq = 0
    for ticker in (A, B):
        body = {"market_ticker": ticker, "yes_dollars_fp": [["0.4000", "1.00"]]}
        desk.book("orderbook_snapshot", body, sid=9)
    assert desk.state.books[A].intact
    assert desk.state.books[A].book.best_bid == 4_000


def test_no_snapshot_in_five_seconds_renews_and_no_answer_to_that_gives_up() -> None:
    desk = Desk()
    desk.delta(A, "0.3100", "5.00", skip=1)
    desk.commands()
    assert desk.later(4.9) == []
    assert Oddity in kinds(desk.later(0.1))
    assert [c["cmd"] for c in desk.commands()] == ["unsubscribe"]
    assert desk.later(4.9) == []
    assert kinds(desk.later(0.1)) == [GiveUp]


def test_an_unconfirmed_subscription_gives_the_connection_up() -> None:
    assert kinds(Desk(subscribed=False).later(5)) == [GiveUp]


def test_a_change_that_cannot_be_touches_one_market_only() -> None:
    desk = Desk()
    facts = desk.delta(A, "0.3100", "-999.00")
    assert kinds(facts) == [BookChanged, Oddity]
    assert (desk.state.books[A].intact, desk.state.books[B].intact) == (False, True)
    [command] = desk.commands()
    assert command["params"] == {"sids": [1], "market_tickers": [A], "action": "get_snapshot"}
    assert desk.delta(B, "0.3100", "1.00") == [BookChanged(B)]
    desk.snapshot(A)
    assert desk.state.books[A].intact


def test_repairs_are_asked_for_again_with_growing_delays() -> None:
    desk = Desk()
    desk.delta(A, "0.3100", "-999.00")
    asked = [0.0]
    desk.commands()
    for _ in range(200):
        desk.later(0.5)
        asked.extend(desk.now / S for _ in desk.commands())
    gaps = [b - a for a, b in itertools.pairwise(asked)]
    assert gaps == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


def test_a_crossed_snapshot_is_not_believed() -> None:
    desk = Desk()
    facts = desk.snapshot(A, no_dollars_fp=[["0.3100", "1.00"]])
    assert kinds(facts) == [BookChanged, Oddity]
    assert not desk.state.books[A].intact


def test_off_grid_levels_and_odd_sides_are_not_believed() -> None:
    for price, change, side in (
        ("0.3150", "1.00", "yes"),
        ("0.31", "1.0000001", "yes"),
        ("0.31", "1", "up"),
        ("1.00", "1", "no"),
    ):
        desk = Desk()
        desk.delta(A, price, change, side)
        assert not desk.state.books[A].intact


def test_a_new_price_grid_starts_the_book_again() -> None:
    desk = Desk()
    finer = TickGrid((PriceBand(Price(0), ONE_DOLLAR, Price(10)),))
    desk.state.regrid(A, finer, desk.now)
    assert not desk.state.books[A].intact
    assert desk.commands()[0]["params"]["market_tickers"] == [A]
    desk.snapshot(A, yes_dollars_fp=[["0.3015", "1.00"]])
    assert not desk.state.books[A].intact
    desk.snapshot(A, yes_dollars_fp=[["0.3010", "1.00"]])
    assert desk.state.books[A].intact


def test_markets_are_added_to_the_running_subscription() -> None:
    desk = Desk()
    desk.state.watch([("KX-C", CENT_GRID), (A, CENT_GRID)], desk.now)
    command, tape = desk.commands()
    assert tape["params"] == {"sids": [TAPE_SID], "market_tickers": ["KX-C"], "action": "add_markets"}
    assert command["params"] == {"sids": [1], "market_tickers": ["KX-C"], "action": "add_markets"}
    desk.snapshot("KX-C")
    assert desk.state.books["KX-C"].intact


def test_a_market_the_venue_refuses_does_not_cost_the_others() -> None:
    desk = Desk(subscribed=False)
    failed = next(c["id"] for c in desk.sent if "use_yes_price" in c["params"])
    desk.say({"type": "error", "id": failed, "msg": {"code": 11, "msg": "no", "market_ticker": B}})
    [again] = desk.commands()
    assert again["params"]["market_tickers"] == [A]


def test_a_dead_subscription_is_taken_again() -> None:
    for code in (10, 25):
        desk = Desk()
        desk.say({"type": "error", "sid": 1, "seq": desk.seq + 1, "msg": {"code": code, "msg": "overflow"}})
        assert not desk.state.books[A].intact
        assert desk.commands()[0]["params"]["use_yes_price"] is True
        desk.say({"type": "error", "sid": 2, "msg": {"code": code, "msg": "overflow"}})
        assert desk.commands()[0]["params"] == {"channels": ["fill"]}
        ready = desk.say({"type": "subscribed", "msg": {"channel": "fill", "sid": 12}})
        assert ready == [PrivateReady()]


def test_a_lost_connection_distrusts_and_starts_over() -> None:
    desk = Desk()
    desk.state.closed()
    assert not desk.state.books[A].intact
    assert desk.delta(A, "0.3100", "1.00") == []
    desk.state.opened(desk.now)
    assert len(desk.commands()) == len(DESK)


def test_private_messages_become_facts() -> None:
    desk = Desk()
    [fill] = desk.say({"type": "fill", "sid": 2, "msg": FILL})
    assert isinstance(fill, FillSeen) and fill.client_order_id == "c-1"
    [order] = desk.say({"type": "user_order", "sid": 3, "msg": ORDER})
    assert isinstance(order, OrderSeen) and order.report.order_id == "o-1"


def test_an_unreadable_private_message_must_be_read_elsewhere() -> None:
    desk = Desk()
    for kind, body in (
        ("fill", FILL | {"count_fp": "x"}),
        ("fill", {}),
        ("user_order", ORDER | {"status": 1}),
    ):
        assert kinds(desk.say({"type": kind, "sid": 2, "msg": body})) == [Oddity, Missed]


def test_an_unreadable_book_message_is_a_gap() -> None:
    desk = Desk()
    desk.book("orderbook_delta", {"market_ticker": A})
    assert not desk.state.books[A].intact and not desk.state.books[B].intact
    assert desk.commands()[0]["params"]["action"] == "get_snapshot"


def test_life_cycle_messages_count_and_a_gap_there_is_told() -> None:
    desk = Desk()
    body = {"event_type": "activated", "market_ticker": A}
    first = {"type": "market_lifecycle_v2", "sid": 4, "seq": 1, "msg": body}
    assert kinds(desk.say(first)) == [MarketEvent]
    assert desk.say({"type": "event_lifecycle", "sid": 4, "seq": 2, "msg": {}}) == []
    assert kinds(desk.say(first | {"seq": 4})) == [Oddity, Missed, MarketEvent]
    assert desk.state.books[A].intact


steps = st.lists(
    st.tuples(
        st.sampled_from([A, B]),
        st.sampled_from(["0.2900", "0.3000", "0.3100", "0.3500", "0.3600"]),
        st.integers(-300, 300),
        st.sampled_from(["yes", "no"]),
        st.sampled_from(["say", "say", "say", "lose"]),
    ),
    max_size=40,
)


@settings(max_examples=200)
@given(steps)
def test_an_intact_book_is_always_the_true_one(moves: list[Any]) -> None:
    """The venue keeps the truth; messages get lost; whatever is marked intact equals it."""
    desk = Desk()
    truth = {ticker: new_book(CENT_GRID) for ticker in (A, B)}
    for book in truth.values():
        for side, price, size in ((BookSide.BID, 3_000, 120), (BookSide.BID, 3_100, 210)):
            book.set(side, Price(price), contracts(size))
        book.set(BookSide.ASK, Price(3_500), contracts(40))
        book.set(BookSide.ASK, Price(3_300), contracts(85) + 500_000)
    for ticker, price, size, side_text, fate in moves:
        side = BookSide.BID if side_text == "yes" else BookSide.ASK
        at = Price(int(price.replace(".", "")))
        if not truth[ticker].change(side, at, contracts(size)):
            continue
        if truth[ticker].crossed:
            truth[ticker].change(side, at, -contracts(size))
            continue
        if fate == "lose":
            desk.seq += 1
        else:
            desk.delta(ticker, price, f"{size}.00", side_text)
        for command in desk.commands():
            assert command["params"]["action"] == "get_snapshot"
            for asked in command["params"]["market_tickers"]:
                answer(desk, asked, truth[asked])
        for name, book in truth.items():
            view = desk.state.books[name]
            if view.intact and desk.seq == last_seen(desk):
                for each in BookSide:
                    assert view.book.levels(each, 99) == book.levels(each, 99)


def last_seen(desk: Desk) -> int:
    return max(view.sequence for view in desk.state.books.values())


def answer(desk: Desk, ticker: str, book: Any) -> None:
    def rows(side: BookSide) -> list[list[str]]:
        return [[f"{p / 10_000:.4f}", f"{q / 1_000_000:.2f}"] for p, q in book.levels(side, 99)]

    desk.snapshot(ticker, yes_dollars_fp=rows(BookSide.BID), no_dollars_fp=rows(BookSide.ASK))


mutations = st.dictionaries(
    st.sampled_from(["type", "sid", "seq", "msg", "id"]),
    st.none()
    | st.integers(-5, 2**70)
    | st.text(max_size=5)
    | st.lists(st.integers(), max_size=2)
    | st.just({}),
    max_size=3,
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.binary(max_size=60)
        | st.tuples(
            st.sampled_from(
                [
                    {"type": "fill", "sid": 2, "msg": FILL},
                    {"type": "user_order", "sid": 3, "msg": ORDER},
                    {"type": "error", "sid": 1, "seq": 3, "msg": {"code": 25, "msg": "x"}},
                    {"type": "subscribed", "msg": {"channel": "fill", "sid": 1}},
                    {"type": "unsubscribed", "sid": 1, "seq": 3},
                    {
                        "type": "orderbook_snapshot",
                        "sid": 1,
                        "seq": 3,
                        "msg": {"market_ticker": A, "yes_dollars_fp": [["0.1", "1"]]},
                    },
                ]
            ),
            mutations,
        ).map(lambda pair: json.dumps(pair[0] | pair[1]).encode())
        | st.sampled_from([b"[" * 9_000, b'{"type":"fill","msg":' + b"[" * 9_000, b"\xff"]),
        max_size=8,
    )
)
def test_hostile_bytes_never_raise(messages: list[bytes]) -> None:
    desk = Desk()
    for message in messages:
        desk.state.feed(message, desk.now)
        desk.now += S
        desk.state.tick(desk.now)
        desk.state.commands()


def test_a_book_that_stays_crossed_is_asked_for_again() -> None:
    desk = Desk()
    assert desk.delta(A, "0.3300", "5.00") == [BookChanged(A)]  # at the ask: what one order may do on its way
    assert desk.state.books[A].intact
    assert kinds(desk.later(1)) == [BookChanged, Oddity]
    assert (desk.state.books[A].intact, desk.state.books[B].intact) == (False, True)
    [command] = desk.commands()
    assert command["params"] == {"sids": [1], "market_tickers": [A], "action": "get_snapshot"}
    desk.snapshot(A)
    assert desk.state.books[A].intact
    assert desk.later(1) == []


def test_a_market_that_is_over_leaves_the_subscription() -> None:
    desk = Desk()
    desk.state.unwatch(A)
    book, tape = (command["params"] for command in desk.commands())
    assert book == {"sids": [1], "market_tickers": [A], "action": "delete_markets"}
    assert tape == book | {"sids": [TAPE_SID]}
    desk.book("ok", {"market_tickers": [B]})
    assert desk.delta(A, "0.3100", "5.00") == []
    assert desk.delta(B, "0.3100", "5.00") == [BookChanged(B)]
    assert list(desk.state.books) == [B]
    desk.delta(B, "0.3100", "5.00", skip=1)
    assert desk.commands()[0]["params"]["market_tickers"] == [B]


def test_trades_are_told_and_cost_no_book_and_no_connection() -> None:
    desk = Desk(subscribed=False)
    ids = {command["params"]["channels"][0]: command["id"] for command in desk.sent}
    for sid, name in enumerate((one.channel for one in DESK), 1):
        if name != "trade":
            desk.say({"type": "subscribed", "id": ids[name], "msg": {"channel": name, "sid": sid}})
    for ticker in (A, B):
        desk.snapshot(ticker)
    desk.state.watch([("KX-C", CENT_GRID)], desk.now)
    assert [c["params"]["sids"] for c in desk.commands()] == [[1]], (
        "no answer on trades yet: nothing is added"
    )
    desk.snapshot("KX-C")
    assert desk.later(6) == [] and desk.state.books[A].intact, "without an answer there is no tape"
    desk.say({"type": "subscribed", "id": ids["trade"], "msg": {"channel": "trade", "sid": TAPE_SID}})
    (late,) = desk.commands()
    assert late["params"] == {"sids": [TAPE_SID], "market_tickers": ["KX-C"], "action": "add_markets"}
    refusal = {"code": 26, "msg": "no", "market_ticker": "KX-C"}
    assert kinds(desk.say({"type": "error", "id": late["id"], "msg": refusal})) == [Oddity]
    assert desk.commands() == [] and desk.state.books["KX-C"].intact
    trade = {
        "trade_id": "t-1", "market_ticker": A, "yes_price_dollars": "0.3200", "count_fp": "4.00",
        "taker_book_side": "bid", "ts_ms": 17,
    }  # fmt: skip
    for seq, facts in ((1, [TradeSeen]), (3, [Oddity, Missed, TradeSeen])):
        said = {"type": "trade", "sid": TAPE_SID, "seq": seq, "msg": trade}
        assert kinds(desk.say(said)) == facts and desk.commands() == []
    desk.say({"type": "error", "sid": TAPE_SID, "seq": 4, "msg": {"code": 25, "msg": "overflow"}})
    (again,) = desk.commands()
    assert again["params"] == {"channels": ["trade"], "market_tickers": [A, B, "KX-C"]}


def test_a_renewed_subscription_without_markets_waits_for_the_first() -> None:
    desk = Desk()
    for ticker in (A, B):
        desk.state.unwatch(ticker)
    desk.commands()
    desk.say({"type": "error", "sid": 1, "seq": desk.seq + 1, "msg": {"code": 25, "msg": "overflow"}})
    assert desk.commands() == []
    assert desk.later(6) == []
    desk.state.watch([("KX-C", CENT_GRID)], desk.now)
    assert desk.commands()[0]["params"]["market_tickers"] == ["KX-C"]


def test_a_channel_that_can_be_done_without_is_done_without() -> None:
    desk = Desk(subscribed=False)
    ids = {command["params"]["channels"][0]: command["id"] for command in desk.sent}
    for channel, sid in (("orderbook_delta", 1), ("fill", 2), ("user_orders", 3), ("market_lifecycle_v2", 4)):
        desk.say({"type": "subscribed", "id": ids[channel], "msg": {"channel": channel, "sid": sid}})
    for channel in (GROUPS, "market_positions"):
        desk.say({"type": "error", "id": ids[channel], "msg": {"code": 8, "msg": "Unknown channel name"}})
    for ticker in (A, B):
        desk.snapshot(ticker)
    assert desk.later(60) == []
    assert desk.commands() == []


@pytest.mark.parametrize("channel", sorted(NEEDED))
def test_a_channel_that_is_needed_ends_the_connection_when_it_is_refused(channel: str) -> None:
    desk = Desk(subscribed=False)
    for sid, command in enumerate(desk.sent, 1):
        [name] = command["params"]["channels"]
        if name == channel:
            desk.say(
                {"type": "error", "id": command["id"], "msg": {"code": 8, "msg": "Unknown channel name"}}
            )
        else:
            desk.say({"type": "subscribed", "id": command["id"], "msg": {"channel": name, "sid": sid}})
    for ticker in (A, B) if channel != "orderbook_delta" else ():
        sid = next(n for n, c in enumerate(desk.sent, 1) if c["params"]["channels"] == ["orderbook_delta"])
        desk.book("orderbook_snapshot", {"market_ticker": ticker}, sid=sid)
    assert kinds(desk.later(6)) == [GiveUp]


def test_a_number_is_given_once() -> None:
    desk = Desk()
    facts = desk.say({"type": "subscribed", "msg": {"channel": "trade", "sid": 1}})
    assert kinds(facts) == [Oddity]
    desk.state.opened(desk.now)
    desk.say({"type": "subscribed", "msg": {"channel": "fill", "sid": 1}})
    assert kinds(desk.say({"type": "subscribed", "msg": {"channel": "user_orders", "sid": 1}})) == [Oddity]


def test_news_of_another_subaccount_is_not_ours() -> None:
    desk = Desk()
    position = {"market_ticker": A, "position_fp": "-4.00"}
    for kind, sid, body, field in (
        ("fill", 2, FILL, "subaccount"),
        ("user_order", 3, ORDER, "subaccount_number"),
        ("market_position", 5, position, "subaccount"),
    ):
        assert desk.say({"type": kind, "sid": sid, "msg": body | {field: 3}}) == []
        for ours in (body, body | {field: 0}):
            assert len(desk.say({"type": kind, "sid": sid, "msg": ours})) == 1


def test_a_position_message_is_a_fact() -> None:
    body = {"market_ticker": A, "position_fp": "-4.00"}
    [seen] = Desk().say({"type": "market_position", "sid": 5, "msg": body})
    assert seen == PositionSeen(PositionReport(A, contracts(-4)))
    broken = Desk().say({"type": "market_position", "sid": 5, "msg": body | {"position_fp": "x"}})
    assert kinds(broken) == [Oddity, Missed]


def test_a_message_nested_too_deep_ends_the_connection() -> None:
    """D09."""
    desk = Desk()
    hostile = b'{"type":"fill","msg":' + b"[" * 40 + b"]" * 40 + b"}"
    assert kinds(list(desk.state.feed(hostile, desk.now))) == [GiveUp]


TAPE = (
    Wanted("trade", market_tickers=(A,)),
    Wanted("ticker", market_tickers=(A,)),
    Wanted("cfbenchmarks_value", index_ids=("BRTI",)),
)


def test_a_tool_listens_to_what_it_asks_for() -> None:
    state = StreamState(TAPE)
    state.opened(0)
    sent = [json.loads(command)["params"] for command in state.commands()]
    assert sent == [
        {"channels": ["trade"], "market_tickers": [A]},
        {"channels": ["ticker"], "market_tickers": [A], "send_initial_snapshot": True},
        {"channels": ["cfbenchmarks_value"], "index_ids": ["BRTI"]},
    ]

    def say(message: dict[str, Any]) -> list[Any]:
        return list(state.feed(json.dumps(message).encode(), 0))

    for sid, one in enumerate(TAPE, 1):
        say({"type": "subscribed", "msg": {"channel": one.channel, "sid": sid}})
    trade = {
        "trade_id": "t-1",
        "market_ticker": A,
        "yes_price_dollars": "0.3200",
        "count_fp": "4.00",
        "taker_book_side": "ask",
        "is_block_trade": False,
        "ts_ms": 17,
    }
    assert say({"type": "trade", "sid": 1, "seq": 1, "msg": trade}) == [
        TradeSeen(Trade("t-1", A, Price(3_200), contracts(4), BookSide.ASK, 17, block=False))
    ]
    assert kinds(say({"type": "trade", "sid": 1, "seq": 3, "msg": trade})) == [Oddity, Missed, TradeSeen]
    top = {
        "market_ticker": A,
        "price_dollars": "0.3200",
        "yes_bid_dollars": "0.0000",
        "yes_ask_dollars": "0.3300",
        "yes_bid_size_fp": "0.00",
        "yes_ask_size_fp": "85.50",
        "volume_fp": "1843.00",
        "open_interest_fp": "1290.00",
        "ts_ms": 18,
    }
    [seen] = say({"type": "ticker", "sid": 2, "msg": top})
    assert (seen.ticker.bid, seen.ticker.ask, seen.ticker.last) == (None, 3_300, 3_200)
    data = '{"type":"value","id":"BRTI","time":1795291200000,"value":"81730.21"}'
    average = {"value": "81722.904", "window_size": 60}
    index = {"index_id": "BRTI", "received_at": 19, "data": data, "avg_60s_data": average}
    minute = Mean(81_722.904, 60, 60, 1_795_291_200_000)
    [_, seen] = say({"type": "cfbenchmarks_value", "sid": 3, "seq": 1, "msg": index})
    assert seen == ValueSeen(Published("kalshi-indices", "BRTI", 81_730.21, 1_795_291_200_000, minute))
    for kind, sid, body in (
        ("trade", 1, trade | {"yes_price_dollars": "NaN"}),
        ("ticker", 2, top | {"yes_ask_dollars": "1.5"}),
    ):
        assert kinds(say({"type": kind, "sid": sid, "seq": 4, "msg": body})) == [Oddity]

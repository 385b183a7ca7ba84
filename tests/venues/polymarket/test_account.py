"""Our orders and trades in YES terms, from REST and the user channel, and what the account holds."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.clock import Clocks
from core.domain.order import BookSide, Fill, Outcome
from core.domain.trade import TradeStage
from core.domain.units import Money, Quantity, contracts
from core.venues.polymarket import reports
from core.venues.polymarket.account import Account
from core.venues.polymarket.account_wire import OrderWire, TradeWire
from core.venues.polymarket.catalog import Catalog
from core.venues.polymarket.facts import Oddity
from core.venues.polymarket.gamma_wire import EventHead
from core.venues.polymarket.http import ClobHttp
from core.venues.polymarket.line import SECOND_NS
from core.venues.polymarket.reports import Heard, Owner, StrangerError
from core.venues.polymarket.user_channel import (
    Missed,
    OrderSeen,
    PrivateReady,
    StrangerSeen,
    TradeSeen,
    UserTalk,
)
from core.venues.polymarket.wallets import SignatureType
from core.venues.reader import Reader
from core.venues.venue import (
    EXPIRY_REASON,
    Incomplete,
    OrderReport,
    PositionReport,
    Redeemable,
    ReportStatus,
    TradeReport,
)
from core.venues.wire import Odd, WireError
from tests.venues.polymarket import scripted
from tests.venues.polymarket.bodies import CONDITION, EVENT, MARKET, NO, YES, market_raw
from tests.venues.polymarket.scripted import CREDENTIALS

Run = Callable[[Coroutine[Any, Any, Any]], Any]
TICKER, US, THEM = MARKET["slug"], CREDENTIALS.api_key, "someone-else"
OWNER = Owner(US, "0x00000000000000000000000000000000000000aA")
ORDER, OTHER_ORDER = "0x" + "26" * 32, "0x" + "27" * 32


def catalog() -> Catalog:
    made = Catalog(lambda what, detail: None)
    made.learn(market_raw(), msgspec.convert({**EVENT, "negRisk": True}, EventHead), "weather")
    return made


KNOWN = catalog()


def order_body(**changes: Any) -> dict[str, Any]:
    return {
        "id": ORDER,
        "status": "LIVE",
        "owner": US,
        "market": CONDITION,
        "asset_id": YES,
        "side": "BUY",
        "original_size": "100",
        "size_matched": "25",
        "price": "0.52",
        "outcome": "Yes",
        "order_type": "GTC",
        "expiration": "0",
        "created_at": 1_795_000_000,
        "associate_trades": None,
        **changes,
    }


def trade_body(**changes: Any) -> dict[str, Any]:
    return {
        "id": "t-1",
        "taker_order_id": OTHER_ORDER,
        "market": CONDITION,
        "asset_id": YES,
        "side": "SELL",
        "size": "40",
        "price": "0.52",
        "status": "TRADE_STATUS_MATCHED",
        "match_time": "1795000012",
        "last_update": "1795000019",
        "outcome": "Yes",
        "owner": THEM,
        "maker_address": "0x1",
        "trader_side": "MAKER",
        "maker_orders": [maker_body()],
        **changes,
    }


def maker_body(**changes: Any) -> dict[str, Any]:
    body = {
        "order_id": ORDER,
        "owner": US,
        "matched_amount": "25",
        "price": "0.52",
        "asset_id": YES,
        "side": "BUY",
    }
    return body | changes


def report(**changes: Any) -> OrderReport:
    odd = Odd()
    found = reports.order_report(msgspec.convert(order_body(**changes), OrderWire), KNOWN.of_token, odd)
    assert odd.notes == []
    return found


def heard(**changes: Any) -> Heard | None:
    wire = msgspec.convert(trade_body(**changes), TradeWire)
    return reports.trade(wire, OWNER, KNOWN.of_token, KNOWN.markets.get, Odd())


def one_fill(**changes: Any) -> Fill:
    found = heard(**changes)
    assert found is not None
    (fill,) = found.fills
    return fill


@pytest.mark.parametrize(
    ("token", "word", "side", "price"),
    [
        (YES, "BUY", BookSide.BID, 5_200),
        (YES, "SELL", BookSide.ASK, 5_200),
        (NO, "BUY", BookSide.ASK, 4_800),
        (NO, "SELL", BookSide.BID, 4_800),
    ],
)
def test_orders_and_fills_are_told_in_yes_terms(token: str, word: str, side: BookSide, price: int) -> None:
    found = report(asset_id=token, side=word)
    assert (found.ticker, found.side, found.price) == (TICKER, side, price)
    made = one_fill(maker_orders=[maker_body(asset_id=token, side=word)])
    assert (made.ticker, made.side, made.price) == (TICKER, side, price)
    taken = one_fill(trader_side="TAKER", asset_id=token, side=word, maker_orders=[])
    assert (taken.ticker, taken.side, taken.price) == (TICKER, side, price)


@pytest.mark.parametrize(
    ("changes", "status", "remaining", "reason"),
    [
        ({}, ReportStatus.RESTING, 75, ""),
        ({"status": "ORDER_STATUS_LIVE"}, ReportStatus.RESTING, 75, ""),
        ({"status": "UNMATCHED"}, ReportStatus.RESTING, 75, "UNMATCHED"),
        ({"status": "DELAYED"}, ReportStatus.RESTING, 75, "DELAYED"),
        ({"status": "MATCHED", "size_matched": "100"}, ReportStatus.EXECUTED, 0, ""),
        ({"status": "CANCELED"}, ReportStatus.CANCELED, 0, "CANCELED"),
        ({"status": "CANCELED_NOT_ENOUGH_BALANCE"}, ReportStatus.CANCELED, 0, "CANCELED_NOT_ENOUGH_BALANCE"),
        ({"status": "CANCELED_EXPIRED_ORDER"}, ReportStatus.CANCELED, 0, EXPIRY_REASON),
        ({"status": "INVALID"}, ReportStatus.INVALID, 0, "INVALID"),
        ({"status": "INVALID", "type": "CANCELLATION"}, ReportStatus.INVALID, 0, "INVALID"),
        ({"status": "LIVE", "type": "CANCELLATION"}, ReportStatus.CANCELED, 0, "LIVE"),
        ({"status": "HOVERING"}, ReportStatus.UNKNOWN, 0, "HOVERING"),
    ],
)
def test_states_of_orders(changes: dict[str, Any], status: ReportStatus, remaining: int, reason: str) -> None:
    found = report(**changes)
    assert (found.status, found.remaining, found.reason) == (status, contracts(remaining), reason)
    assert found.quantity == contracts(100)


def test_a_killed_order_says_why_in_words() -> None:
    words = "CANCELED_order couldn't be fully filled. FOK orders are fully filled or killed."
    found = report(status=words, size_matched="", order_type="FOK", original_size="52", price="0.52")
    assert found.status is ReportStatus.CANCELED and "FULLY FILLED" in found.reason
    assert found.filled == 0
    assert found.quantity == contracts(100)  # 52 dollars at 0.52


@pytest.mark.parametrize("stamp", [1_795_000_012, "1795000012", "1795000012000", 1_795_000_012_000])
def test_times_in_seconds_and_milliseconds(stamp: object) -> None:
    assert report(timestamp=stamp).updated_ms == 1_795_000_012_000
    # The venue ends an order a minute before the time it names.
    assert report(expiration=stamp).expires_ms == 1_794_999_952_000
    assert one_fill(match_time=None, matchtime=stamp).at_ms == 1_795_000_012_000
    assert report(expiration=None, timestamp="").expires_ms is None


@pytest.mark.parametrize(
    "changes",
    [
        {"side": "HOLD"},
        {"price": "1.0"},
        {"price": "0"},
        {"price": "x"},
        {"original_size": "-5"},
        {"size_matched": "many"},
        {"original_size": "1e3"},
    ],
)
def test_an_order_that_cannot_be_right_is_no_report(changes: dict[str, Any]) -> None:
    with pytest.raises(WireError):
        report(**changes)


def test_a_token_of_no_known_market_is_a_stranger() -> None:
    with pytest.raises(StrangerError) as raised:
        report(asset_id="999")
    assert (raised.value.token, raised.value.condition) == ("999", CONDITION)


# --- trades ---------------------------------------------------------------------------------------


def test_a_makers_fill_is_its_own_entry_of_whatever_outcome() -> None:
    """A purchase of YES that met our purchase of NO: filtering by the taker's token would lose it."""
    met = [maker_body(asset_id=NO, side="BUY", price="0.48"), maker_body(owner=THEM)]
    fill = one_fill(side="BUY", price="0.52", maker_orders=met)
    assert (fill.trade_id, fill.order_id) == (f"t-1:{ORDER}", ORDER)
    assert (fill.side, fill.price, fill.quantity) == (BookSide.ASK, 5_200, contracts(25))
    assert (fill.is_taker, fill.fee, fill.final) == (False, 0, False)


@pytest.mark.parametrize(
    ("taker", "token", "side"),
    [
        ("BUY", YES, BookSide.ASK),
        ("SELL", YES, BookSide.BID),
        ("BUY", NO, BookSide.ASK),
        ("SELL", NO, BookSide.BID),
    ],
)
def test_a_maker_entry_without_a_side(taker: str, token: str, side: BookSide) -> None:
    assert one_fill(side=taker, maker_orders=[maker_body(asset_id=token, side=None)]).side is side


def test_a_takers_fill_pays_the_markets_fee() -> None:
    order = {"trader_side": "TAKER", "taker_order_id": ORDER, "owner": US, "side": "BUY", "size": "100"}
    fill = one_fill(**order, maker_orders=[maker_body(owner=THEM)])
    assert (fill.trade_id, fill.order_id, fill.is_taker) == ("t-1", ORDER, True)
    assert fill.fee == Money(1_248_000)


def test_a_trade_with_oneself_is_two_fills() -> None:
    found = heard(trader_side="TAKER", owner=US, taker_order_id=OTHER_ORDER)
    assert found is not None
    assert {f.trade_id for f in found.fills} == {"t-1", f"t-1:{ORDER}"}
    assert {f.side for f in found.fills} == {BookSide.BID, BookSide.ASK}


def test_whose_trade_it_is() -> None:
    assert heard(maker_orders=[maker_body(owner=THEM)]) is None
    assert heard(maker_orders=None) is None
    by_wallet = maker_body(owner=THEM, maker_address=OWNER.funder.upper().replace("0X", "0x"))
    assert one_fill(maker_orders=[by_wallet]).quantity == contracts(25)
    assert one_fill(trader_side=None, owner=US, maker_orders=[]).is_taker


def test_an_average_finer_than_a_price_is_rounded_against_us() -> None:
    average: dict[str, Any] = {"trader_side": "TAKER", "price": "0.52333333", "maker_orders": []}
    assert one_fill(side="BUY", **average).price == 5_234
    assert one_fill(side="SELL", **average).price == 5_233
    for paid, price in (("0.52000000001", 5_201), ("0.5200000000", 5_200), ("0.9999999999", 9_999)):
        assert one_fill(side="BUY", **{**average, "price": paid}).price == price
    for damaged in ("0.520000x1", "0." + "123456789" * 5):
        with pytest.raises(WireError, match="not a number"):
            one_fill(side="BUY", **{**average, "price": damaged})
    assert one_fill(side="SELL", **{**average, "price": "0.523333333333333333"}).price == 5_233


@pytest.mark.parametrize(
    ("status", "stage", "final"),
    [
        ("MATCHED", TradeStage.MATCHED, False),
        ("TRADE_STATUS_MATCHED_NOT_BROADCASTED", TradeStage.MATCHED, False),
        ("MINED", TradeStage.MINED, False),
        ("TRADE_STATUS_RETRYING", TradeStage.RETRYING, False),
        ("CONFIRMED", TradeStage.CONFIRMED, True),
        ("TRADE_STATUS_FAILED", TradeStage.FAILED, False),
        ("TELEPORTED", TradeStage.MATCHED, False),
    ],
)
def test_only_a_confirmed_trade_is_final(status: str, stage: TradeStage, final: bool) -> None:
    found = heard(status=status)
    assert found is not None
    assert found.report == TradeReport("t-1", stage, 1_795_000_019_000)
    assert [f.final for f in found.fills] == [final]


@given(st.sampled_from([YES, NO]), st.booleans(), st.integers(1, 99), st.sampled_from([YES, NO]))
def test_both_sides_of_a_match_mirror_each_other(token: str, buys: bool, cents: int, other: str) -> None:
    """Whatever outcomes meet, what the taker gains in YES the maker gives."""
    price = f"0.{cents:02d}"
    theirs = price if token == other else f"0.{100 - cents:02d}"
    word = "BUY" if buys else "SELL"
    maker = maker_body(asset_id=other, side=None, price=theirs)
    both = heard(
        trader_side="TAKER", owner=US, asset_id=token, side=word, price=price, size="25", maker_orders=[maker]
    )
    assert both is not None
    made, taken = both.fills
    assert (made.price, made.quantity) == (taken.price, taken.quantity)
    assert made.side is taken.side.opposite


# --- the user channel -----------------------------------------------------------------------------


def talk() -> UserTalk:
    return UserTalk(CREDENTIALS, OWNER, KNOWN.of_token, KNOWN.markets.get, 0)


def said(channel: UserTalk, *events: dict[str, Any]) -> list[Any]:
    body: Any = events[0] if len(events) == 1 else list(events)
    return list(channel.feed(json.dumps(body).encode(), 0))


def test_the_channel_opens_with_the_credentials_and_is_ready_when_it_speaks_or_in_two_seconds() -> None:
    channel = talk()
    (opening,) = channel.commands()
    assert json.loads(opening) == {
        "auth": {"apiKey": US, "secret": CREDENTIALS.secret, "passphrase": CREDENTIALS.passphrase},
        "type": "user",
    }
    assert channel.commands() == []
    assert list(channel.tick(SECOND_NS)) == []
    assert list(channel.tick(2 * SECOND_NS)) == [PrivateReady()]
    assert list(channel.tick(3 * SECOND_NS)) == []
    early = talk()
    order = {"event_type": "order", "type": "PLACEMENT", **order_body()}
    assert said(early, order) == [PrivateReady(), OrderSeen(report())]


def test_orders_and_trades_in_one_frame() -> None:
    channel = talk()
    channel.tick(2 * SECOND_NS)
    order = {"event_type": "order", "type": "UPDATE", **order_body(timestamp="1795000012345")}
    trade = {"event_type": "trade", "type": "TRADE", **trade_body(status="CONFIRMED")}
    facts = said(channel, trade, order)
    assert [type(fact) for fact in facts] == [TradeSeen, OrderSeen]
    assert facts[0].heard.fills[0].final
    assert facts[1].report.updated_ms == 1_795_000_012_345
    assert said(channel, {"event_type": "trade", **trade_body(maker_orders=None)}) == []


def test_what_cannot_be_understood_is_read_again() -> None:
    channel = talk()
    channel.tick(2 * SECOND_NS)
    assert said(channel, {"event_type": "order", **order_body(side="HOLD")})[-1] == Missed()
    assert said(channel, {"event_type": "trade", "id": 5})[-1] == Missed()
    assert said(channel, {"event_type": "party"}) == [Oddity("unreadable message", "party")]
    for junk in (b"", b"\xff", b"[[", b"7"):
        assert list(channel.feed(junk, 0))[-1] == Missed()


def test_an_event_of_an_unknown_market_waits_until_it_is_learnt() -> None:
    channel = talk()
    channel.tick(2 * SECOND_NS)
    strange = {"event_type": "order", **order_body(asset_id="999", market="0xabc", outcome="No")}
    assert said(channel, strange) == [StrangerSeen("999", "0xabc")]
    for foreign in ((), ("998",)):
        assert list(channel.retry(foreign)) == [StrangerSeen("999", "0xabc")], "nobody has answered yet"
    (seen,) = channel.retry({"999"})
    # It cannot be understood: what is there must not be hidden, so it goes by the market's own id.
    assert isinstance(seen, OrderSeen)
    assert (seen.report.ticker, seen.report.side, seen.report.price) == ("0xabc", BookSide.ASK, 4_800)
    assert list(channel.retry({"999"})) == []


def test_recorded_and_made_up_events_of_an_adapter(shared: Path) -> None:
    """Throw-away identities of another client's fixtures: every spelling is read."""
    folder = shared / "data/polymarket/nautilus"
    for name, status in (
        ("placement", ReportStatus.RESTING),
        ("update", ReportStatus.RESTING),
        ("cancellation", ReportStatus.CANCELED),
        ("venue_cancel", ReportStatus.INVALID),
        ("fok_killed", ReportStatus.CANCELED),
    ):
        body = json.loads((folder / f"ws_user_order_{name}.json").read_bytes())
        assert report(**{**body, "asset_id": YES}).status is status, name
    trade = json.loads((folder / "ws_user_trade.json").read_bytes())
    fill = one_fill(**{**trade, "asset_id": YES, "maker_orders": []})
    assert (fill.at_ms, fill.final, fill.quantity) == (1_704_067_200_000, True, contracts(25))


# --- REST -----------------------------------------------------------------------------------------


class Venue:
    """The account's part of the CLOB and of the Data API."""

    def __init__(self) -> None:
        self.orders: list[dict[str, Any]] = []
        self.trades: list[dict[str, Any]] = []
        self.balances: dict[str, str] = {}
        self.rows: list[dict[str, Any]] = []
        self.data_status = 200
        self.order: tuple[int, Any] = (200, None)
        self.asked: list[httpx.URL] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url)
        path, query, status = request.url.path, request.url.params, 200
        body: Any
        if path == "/data/orders":
            body = self._page(self.orders, query)
        elif path == "/data/trades":
            body = self._page(self.trades, query)
        elif path.startswith("/data/order/"):
            status, body = self.order
        elif path == "/v2/positions":
            status, body = self.data_status, {"data": self.rows, "pagination": {"has_more": False}}
        elif path == "/balance-allowance":
            token = query.get("token_id", "")
            body = {"balance": self.balances.get(token, "0"), "allowances": {"0xE1": "9" * 78}}
        else:
            return httpx.Response(200)
        return httpx.Response(status, content=json.dumps(body).encode())

    def _page(self, rows: list[dict[str, Any]], query: httpx.QueryParams) -> dict[str, Any]:
        """One row a page, to be read to the end."""
        at = int(query.get("next_cursor", "0"))
        more = str(at + 1) if at + 1 < len(rows) else "LTE="
        return {"data": rows[at : at + 1], "next_cursor": more, "limit": 1, "count": 1}


class Desk:
    def __init__(self, clocks: Clocks) -> None:
        self.venue, self.learnt = Venue(), list[str]()
        self.hindered: Incomplete | None = None
        http: ClobHttp = scripted.Account(clocks, httpx.MockTransport(self.venue.answer)).http
        self.anomalies: list[tuple[str, str]] = []
        reader = Reader(http, lambda what, detail: self.anomalies.append((what, detail)))
        self.catalog = catalog()
        self.account = Account(reader, reader, self.catalog, OWNER, SignatureType.SAFE, self.learn)

    async def learn(self, tokens: Any) -> Incomplete | None:
        self.learnt.extend(tokens)
        return self.hindered


@pytest.fixture
def ask(virtual: Run, virtual_clocks: Clocks) -> Callable[..., Any]:
    """What a read of the account answers after a venue was prepared, with the desk it was read at."""

    def run(call: Callable[[Account], Any], prepare: Callable[[Venue], None] = lambda venue: None) -> Any:
        async def main() -> Any:
            desk = Desk(virtual_clocks)
            prepare(desk.venue)
            return await call(desk.account), desk

        return virtual(main())

    return run


Ask = Callable[..., Any]


@pytest.mark.parametrize(("status", "body"), [(200, None), (404, None), (404, {"error": "order not found"})])
def test_an_order_the_venue_does_not_know(ask: Ask, status: int, body: Any) -> None:
    found, _ = ask(lambda a: a.order(ORDER), lambda v: setattr(v, "order", (status, body)))
    assert found is None


@pytest.mark.parametrize("body", [{}, {"error": "x", "id": "1"}, [], "gone", {"id": 5}])
def test_an_answer_without_an_order_proves_nothing(ask: Ask, body: Any) -> None:
    found, _ = ask(lambda a: a.order(ORDER), lambda v: setattr(v, "order", (200, body)))
    assert isinstance(found, Incomplete)


def test_one_order_in_any_state(ask: Ask) -> None:
    body = order_body(status="CANCELED_MARKET_RESOLVED")
    found, desk = ask(lambda a: a.order(ORDER), lambda v: setattr(v, "order", (200, body)))
    assert (found.order_id, found.status) == (ORDER, ReportStatus.CANCELED)
    assert desk.venue.asked[0].path == f"/data/order/{ORDER}"


def test_open_orders_are_read_to_the_end_and_chosen_here(ask: Ask) -> None:
    rows = [order_body(), order_body(id=OTHER_ORDER, asset_id=NO, price="0.40")]
    found, desk = ask(lambda a: a.orders(None, None), lambda v: v.orders.extend(rows))
    assert [(o.order_id, o.side, o.price) for o in found] == [
        (ORDER, BookSide.BID, 5_200),
        (OTHER_ORDER, BookSide.ASK, 6_000),
    ]
    assert len(desk.venue.asked) == 2 and desk.account.touched == {YES, NO}
    none, _ = ask(lambda a: a.orders("another", None), lambda v: v.orders.extend(rows))
    assert none == ()
    cut, _ = ask(lambda a: a.orders(None, None), lambda v: v.orders.extend([*rows, {"id": "x"}]))
    assert isinstance(cut, Incomplete)


def test_trades_are_never_filtered_by_market_and_failed_ones_keep_their_fills(ask: Ask) -> None:
    """The order's count at the venue holds them for ever: who hears of it must find them."""
    failed = trade_body(id="t-2", status="TRADE_STATUS_FAILED")
    foreign = trade_body(id="t-3", maker_orders=[maker_body(owner=THEM)])

    def prepare(venue: Venue) -> None:
        venue.trades.extend([trade_body(), failed, foreign])

    fills, desk = ask(lambda a: a.fills(1_795_000_100_999), prepare)
    assert [(f.trade_id, f.final) for f in fills] == [(f"t-1:{ORDER}", False), (f"t-2:{ORDER}", False)]
    assert dict(desk.venue.asked[0].params) == {"after": "1795000095"}
    trades, _ = ask(lambda a: a.trades(None), prepare)
    assert [(t.trade_id, t.stage) for t in trades] == [
        ("t-1", TradeStage.MATCHED),
        ("t-2", TradeStage.FAILED),
    ]


def test_what_is_in_a_market_nobody_understands_is_not_hidden(ask: Ask) -> None:
    rows = [order_body(asset_id="999", market="0xabc", outcome="Yes")]
    found, desk = ask(lambda a: a.orders(None, None), lambda v: v.orders.extend(rows))
    assert [(o.ticker, o.side) for o in found] == [("0xabc", BookSide.BID)]
    assert desk.learnt == ["999"] and "not understood" in desk.anomalies[0][1]


@pytest.mark.parametrize(
    "read",
    [
        lambda a: a.orders(None, None),
        lambda a: a.order(ORDER),
        lambda a: a.fills(None),
        lambda a: a.trades(None),
        lambda a: a.positions(),
        lambda a: a.redeemable(),
    ],
)
def test_nothing_is_called_by_another_name_while_its_market_cannot_be_looked_up(
    virtual: Run, virtual_clocks: Clocks, read: Callable[[Account], Any]
) -> None:
    """It would stand in the journal under both: one trade as two, one position as none."""

    async def main() -> None:
        desk = Desk(virtual_clocks)
        desk.hindered = Incomplete("markets of tokens", "HTTP 503")
        strange = {"asset_id": "999", "market": "0xabc", "outcome": "Yes"}
        desk.venue.orders.append(order_body(**strange))
        desk.venue.order = (200, order_body(**strange))
        desk.venue.trades.append(trade_body(maker_orders=[maker_body(asset_id="999", outcome="Yes")]))
        desk.venue.rows.append(row("999", redeemable=True))
        assert await read(desk.account) == desk.hindered
        assert "999" in desk.learnt

    virtual(main())


def test_cash_is_in_millionths(ask: Ask) -> None:
    cash, desk = ask(lambda a: a.cash(), lambda v: v.balances.update({"": "4893500"}))
    assert cash.total == Money(4_893_500)
    assert dict(desk.venue.asked[0].params) == {"asset_type": "COLLATERAL", "signature_type": "2"}
    odd, _ = ask(lambda a: a.cash(), lambda v: v.balances.update({"": "4.5"}))
    assert isinstance(odd, Incomplete)


def row(token: str, **changes: Any) -> dict[str, Any]:
    return {
        "token_id": token,
        "condition_id": CONDITION,
        "current_size": "12.5",
        "redeemable": False,
        **changes,
    }


def test_positions_are_the_clobs_balances_of_what_the_late_witness_names(ask: Ask) -> None:
    def prepare(venue: Venue) -> None:
        venue.rows.append(row(YES))
        venue.balances.update({YES: "30000000", NO: "10500000"})

    found, desk = ask(lambda a: a.positions(), prepare)
    page = "https://polymarket.com/event/highest-temperature-in-nyc-on-november-28"
    assert found == (PositionReport(TICKER, Quantity(19_500_000), Quantity(10_500_000), page),)
    kinds = {u.params.get("asset_type") for u in desk.venue.asked if u.path == "/balance-allowance"}
    assert kinds == {"CONDITIONAL"}
    assert not any(u.path.endswith("update") for u in desk.venue.asked)


def test_a_token_that_has_just_traded_is_counted_though_the_witness_is_late(ask: Ask) -> None:
    async def read(account: Account) -> Any:
        await account.fills(None)
        return await account.positions()

    def prepare(venue: Venue) -> None:
        venue.trades.append(trade_body())
        venue.balances.update({NO: "5000000"})

    found, desk = ask(read, prepare)
    assert found == (PositionReport(TICKER, Quantity(-5_000_000)),)
    refreshed = [u.params["token_id"] for u in desk.venue.asked if u.path.endswith("/update")]
    assert sorted(refreshed) == sorted([YES, NO])


def test_without_the_witness_every_trade_says_what_could_be_held(ask: Ask) -> None:
    def prepare(venue: Venue) -> None:
        venue.data_status = 404
        venue.trades.append(trade_body())
        venue.balances.update({YES: "7000000"})

    found, _ = ask(lambda a: a.positions(), prepare)
    assert found == (PositionReport(TICKER, contracts(7)),)


def test_what_can_be_redeemed_is_shown_with_the_venues_page(ask: Ask) -> None:
    async def read(account: Account) -> Any:
        account._catalog.forget(TICKER)  # it is over
        return await account.redeemable()

    rows = [row(NO, redeemable=True), row(YES, redeemable=True, current_size=0)]
    found, _ = ask(read, lambda v: v.rows.extend(rows))
    url = f"https://polymarket.com/event/{EVENT['slug']}"
    assert found == (Redeemable(TICKER, Outcome.NO, Quantity(12_500_000), url),)

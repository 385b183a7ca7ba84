"""D08-D10, N09-N11: whatever comes over the wire, nothing raises, nothing is invented or lost unseen.

What SIM sends is taken apart and put together wrongly; the client may be told less by that, never more.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.domain.clock import Clocks
from core.domain.market import CENT_GRID
from core.domain.units import ONE_DOLLAR, contracts, parse_money
from core.sim import orders as sim_orders
from core.sim.exchange import Exchange
from core.sim.kalshi.connection import Connection
from core.venues.kalshi import depths, discovery, exchange, fees, standing, tape
from core.venues.kalshi.account import Account
from core.venues.kalshi.channel import DESK, PRIVATE, Wanted
from core.venues.kalshi.facts import (
    FeesChanged,
    FillSeen,
    GiveUp,
    MarketEvent,
    Missed,
    Oddity,
    OrderSeen,
    PositionSeen,
)
from core.venues.kalshi.sign import load_signer
from core.venues.kalshi.stream import StreamState
from core.venues.reader import Reader
from core.venues.venue import Accepted, Incomplete, Rejected, ReportStatus, Unresolved
from tests.venues.conftest import BRACKET, EVENT, SERIES, SimKalshi
from tests.venues.scripted import CREATED, Desk, Script, answer

Run = Callable[[Any], Any]
S = 1_000_000_000
ROOT = "/trade-api/v2"
WANTED = (*DESK, Wanted("ticker"), Wanted("trade"))
BODIES = {
    "orders": "/portfolio/orders?limit=200&subaccount=0",
    "fills": "/portfolio/fills?limit=200&subaccount=0",
    "positions": "/portfolio/positions?limit=200&subaccount=0",
    "settlements": "/portfolio/settlements?limit=200&subaccount=0",
    "cash": "/portfolio/balance?subaccount=0",
    "state": "/exchange/status",
    "schedule": "/exchange/schedule",
    "book": f"/markets/{BRACKET}/orderbook",
    "trades": "/markets/trades",
    "market": f"/markets/{BRACKET}",
    "event": f"/events/{EVENT}",
    "series": "/series",
    "keys": "/api_keys",
    "tier": "/account/limits",
    "fees": "/series/fee_changes",
}


def order(world: Exchange, account: str, side: str, price: int, count: int) -> None:
    placed = world.place(
        sim_orders.OrderRequest(
            account,
            BRACKET,
            sim_orders.BookSide(side),
            sim_orders.Price(price),
            contracts(count),
            sim_orders.TimeInForce.GTC,
            client_order_id=f"{account}-{side}-{price}",
        )
    )
    assert isinstance(placed, sim_orders.Placed), placed


class Spoken(NamedTuple):
    """What SIM said: frames on every channel, bodies of every read."""

    frames: list[dict[str, Any]]
    bodies: dict[str, bytes]

    def __repr__(self) -> str:
        return "what SIM said"


@pytest.fixture(scope="session")
def spoken(issued: Any) -> Spoken:
    """After some trading."""
    sim = SimKalshi(*issued)
    connection = Connection("desk", sim.clock, lambda: None)
    stream, rest = sim.app.state.stream, sim.app.state.rest
    stream.join(connection)
    for number, one in enumerate(WANTED, 1):
        params: dict[str, Any] = {"channels": [one.channel]}
        if one.channel == "orderbook_delta":
            params |= {"market_tickers": [BRACKET], "use_yes_price": True}
        stream.handle(connection, json.dumps({"id": number, "cmd": "subscribe", "params": params}))
    order(sim.exchange, "crowd", "bid", 3_000, 20)
    order(sim.exchange, "desk", "bid", 3_200, 10)
    order(sim.exchange, "crowd", "ask", 3_200, 4)
    sim.exchange.move_close(BRACKET, sim.clocks.world_ms() + 600_000)
    stream.pulse()
    frames = [json.loads(message) for message in connection.queue]
    key = load_signer(sim.keys[0].key_id, Path(sim.keys[0].private_key_path))
    bodies = {}
    for name, target in BODIES.items():
        path, _, query = target.partition("?")
        signed = key.headers("GET", ROOT + path, sim.clock.wall_ms())
        told = rest.handle("GET", ROOT + path, query, {k.lower(): v for k, v in signed.items()}, b"")
        assert told.status == 200, (name, told.body)
        bodies[name] = told.body
    return Spoken(frames, bodies)


def test_the_corpus_has_a_message_of_every_kind(spoken: Spoken) -> None:
    kinds = {frame["type"] for frame in spoken.frames}
    assert {
        "subscribed",
        "orderbook_snapshot",
        "orderbook_delta",
        "fill",
        "user_order",
        "market_position",
        "trade",
        "ticker",
        "market_lifecycle_v2",
    } <= kinds


# --- mutations ------------------------------------------------------------------------------------

JUNK = (
    None,
    True,
    [],
    {},
    "",
    -1,
    0,
    2**53 - 1,
    2**64,
    10**40,
    1e308,
    "NaN",
    "Infinity",
    "1e9",
    "-5.00",
    "0.00",
    " 4.00",
    "4,00",
    "+4",
    "0.0000",
    "1.0000",
    "9" * 16,
    "9" * 40,
    "٣.٢",
    "\u001b]52;c;aGk=\u0007",
    "\u202e[red]x[/red]",
    "x" * 5_000,
    "\ud800",
    {"a": [{}] * 3},
)
"""Nothing here is a value a price, a count, an id or a time may have."""


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, child in children:
        found += places(child, (*path, key))
    return found


def changed(value: Any, path: tuple[Any, ...], by: Callable[[Any, Any], None]) -> Any:
    copy = json.loads(json.dumps(value))
    parent = copy
    for step in path[:-1]:
        parent = parent[step]
    by(parent, path[-1])
    return copy


@st.composite
def broken(draw: st.DrawFn, value: Any) -> bytes:
    """A message with one part replaced, left out or nested, or its text cut or bent."""
    path = draw(st.sampled_from(places(value)))
    how = draw(st.sampled_from(["replace", "replace", "drop", "nest", "cut", "bend"]))
    if how == "replace":
        junk = draw(st.sampled_from(JUNK))
        value = changed(value, path, lambda parent, key: parent.__setitem__(key, junk))
    elif how == "drop":
        value = changed(value, path, lambda parent, key: parent.__delitem__(key))
    elif how == "nest":
        deep: Any = 0
        for _ in range(draw(st.integers(1, 60))):
            deep = [deep]
        value = changed(value, path, lambda parent, key: parent.__setitem__(key, deep))
    data = json.dumps(value).encode()
    if how == "cut":
        return data[: draw(st.integers(0, len(data) - 1))]
    if how == "bend":
        at = draw(st.integers(0, len(data) - 1))
        return data[:at] + bytes([draw(st.integers(0, 255))]) + data[at + 1 :]
    return data


HOSTILE = (b"[" * 100_000, b"", b"\xff\xfe", b"null", b"7", b'"', b'{"type":"fill"}', b'{"type":[]}')
FEW = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


# --- the stream -----------------------------------------------------------------------------------


def joined(frames: list[dict[str, Any]]) -> StreamState:
    state = StreamState(WANTED)
    state.watch([(BRACKET, CENT_GRID)], 0)
    state.opened(0)
    for frame in frames:
        if frame["type"] in ("subscribed", "orderbook_snapshot"):
            state.feed(json.dumps(frame).encode(), 0)
    return state


def sound(facts: list[Any]) -> bool:
    """Whether what was concluded could be true of any market."""
    for fact in facts:
        if isinstance(fact, FillSeen):
            fill = fact.fill
            assert 0 < fill.price < ONE_DOLLAR and fill.quantity > 0
            assert fill.trade_id.isascii() and fill.ticker.isascii() and len(fact.client_order_id) <= 64
        if isinstance(fact, OrderSeen):
            assert 0 < fact.report.price < ONE_DOLLAR and min(fact.report.filled, fact.report.remaining) >= 0
        if isinstance(fact, Oddity):
            assert len(fact.detail) < 500
        if not isinstance(fact, MarketEvent | FeesChanged):  # bodies that are still to be understood
            msgspec.msgpack.encode(fact)  # as it goes to consoles; raises for what no frame holds
    return True


@FEW
@given(st.data())
def test_a_broken_frame_tells_less_and_never_more(spoken: Spoken, data: st.DataObject) -> None:
    frames = spoken.frames
    ours = [f for f in frames if f["type"] in ("fill", "user_order", "market_position")]
    frame = data.draw(st.sampled_from(ours) | st.sampled_from(frames))
    message = data.draw(broken(frame) | st.sampled_from(HOSTILE))
    state = joined(frames)
    facts = list(state.feed(message, S))
    assert sound(facts)
    whole = list(joined(frames).feed(json.dumps(frame).encode(), S))
    if frame["type"] in ("fill", "user_order", "market_position"):
        told = [f for f in facts if isinstance(f, FillSeen | OrderSeen | PositionSeen)]
        asked = [f for f in facts if isinstance(f, GiveUp | Missed)]
        elsewhere = not facts and _another_kind(message)
        assert told or asked or elsewhere, "a private message that vanished"
        assert len(told) <= len(whole)
    book = state.books[BRACKET]
    assert not (book.intact and book.book.crossed)
    assert len(state.books) == 1
    state.tick(2 * S)
    state.commands()
    msgspec.msgpack.encode((state.sequence, state.sent_ms))


def _another_kind(message: bytes) -> bool:
    """Whether it still is a message, but of a kind or of a subaccount that is not about us."""
    parsed = json.loads(message)
    body = parsed.get("msg") if isinstance(parsed, dict) else None
    of = body.get("subaccount", body.get("subaccount_number")) if isinstance(body, dict) else None
    ours = ("fill", "user_order", "market_position")
    return of not in (None, 0) or (isinstance(parsed["type"], str) and parsed["type"] not in ours)


@FEW
@given(st.data())
def test_after_any_nonsense_the_stream_finds_its_way_back(spoken: Spoken, data: st.DataObject) -> None:
    frames = spoken.frames
    state = joined(frames)
    for frame in data.draw(st.lists(st.sampled_from(frames), max_size=12)):
        message = data.draw(broken(frame) | st.sampled_from(HOSTILE))
        sound(list(state.feed(message, S)))
    state.opened(2 * S)  # what the shell does at the latest when the connection is given up
    for number, one in enumerate(WANTED, 1):
        confirmed = {"type": "subscribed", "msg": {"channel": one.channel, "sid": number}}
        state.feed(json.dumps(confirmed).encode(), 2 * S)
    levels = {"yes_dollars_fp": [["0.3100", "2.00"]], "no_dollars_fp": [["0.3300", "1.00"]]}
    snapshot = {
        "type": "orderbook_snapshot",
        "sid": 1 + [one.channel for one in WANTED].index("orderbook_delta"),
        "seq": 1,
        "msg": {"market_ticker": BRACKET} | levels,
    }
    state.feed(json.dumps(snapshot).encode(), 2 * S)
    assert state.books[BRACKET].intact and state.books[BRACKET].book.best_bid == 3_100


@pytest.mark.parametrize("kind", ["fill", "user_order", "market_position"])
def test_nothing_a_fact_rests_on_may_be_missing_or_odd(spoken: Spoken, kind: str) -> None:
    frame = next(f for f in spoken.frames if f["type"] == kind)
    numbers = {
        "fill": ("yes_price_dollars", "count_fp", "book_side", "is_taker"),
        "user_order": ("yes_price_dollars", "book_side"),
        "market_position": (),
    }[kind]
    needed = {
        "fill": ("trade_id", "order_id", "market_ticker", "fee_cost", *numbers),
        "user_order": ("order_id", "ticker", "status", "initial_count_fp", "remaining_count_fp", *numbers),
        "market_position": ("market_ticker", "position_fp"),
    }[kind]
    right = (("count_fp", "1.0000"), ("is_taker", True))
    worse = [frame["msg"] | {f: junk} for f in numbers for junk in JUNK if (f, junk) not in right]
    worse += [{k: v for k, v in frame["msg"].items() if k != field} for field in needed]
    for body in worse:
        facts = list(joined(spoken.frames).feed(json.dumps(frame | {"msg": body}).encode(), S))
        assert not [f for f in facts if isinstance(f, FillSeen | OrderSeen | PositionSeen)], body
        assert Missed(PRIVATE[0]) in facts, body


def test_the_channels_news_is_about_are_asked_for(spoken: Spoken) -> None:
    """A private message that cannot be read at all asks for a reading of the account."""
    frames = spoken.frames
    for kind in ("fill", "user_order", "market_position"):
        frame = next(f for f in frames if f["type"] == kind) | {"msg": 7}
        facts = list(joined(frames).feed(json.dumps(frame).encode(), S))
        assert Missed(PRIVATE[0]) in facts


def test_an_index_that_is_no_number_is_an_oddity_with_a_clean_text() -> None:
    state = StreamState((Wanted("cfbenchmarks_value", index_ids=("BRTI",)),))
    average = {"value": "\u001b[31m9\u202e", "window_size": 60}
    data = '{"time":1795291200000,"value":"81730.21"}'
    body = {"index_id": "BRTI", "received_at": 1, "data": data, "avg_60s_data": average}
    message = {"type": "cfbenchmarks_value", "sid": 1, "seq": 1, "msg": body}
    *_, seen = state.feed(json.dumps(message).encode(), 0)
    assert isinstance(seen, Oddity) and "\u001b" not in seen.detail


# --- answers --------------------------------------------------------------------------------------

READS: dict[str, Callable[[Reader], Any]] = {
    "orders": lambda r: Account(r).orders(None, None, None),
    "fills": lambda r: Account(r).fills(None),
    "positions": lambda r: Account(r).positions(),
    "settlements": lambda r: Account(r).settlements(None),
    "cash": lambda r: Account(r).cash(),
    "state": exchange.read_state,
    "schedule": exchange.read_schedule,
    "book": lambda r: depths.read_book(r, BRACKET),
    "trades": tape.read_trades,
    "market": lambda r: discovery.read_market(r, BRACKET),
    "event": lambda r: discovery.read_event(r, EVENT),
    "series": discovery.read_series,
    "keys": standing.read_keys,
    "tier": standing.read_tier,
    "fees": fees.read_changes,
}


def test_what_sim_answers_is_understood(virtual: Run, virtual_clocks: Clocks, spoken: Spoken) -> None:
    async def main() -> None:
        for name, read in READS.items():
            replies = [answer(body=spoken.bodies[name])]
            if name == "fees":
                replies.append(answer(body={"event_fee_changes": [], "cursor": ""}))
            desk = Desk(virtual_clocks, Script(*replies))
            found = await read(Reader(desk.http, desk.http.on_anomaly))
            assert not isinstance(found, Incomplete), (name, found)
            if name == "fills":
                assert [(f.quantity, f.price) for f in found] == [(contracts(4), 3_200)]
            if name == "positions":
                assert [p.net for p in found] == [contracts(4)]
            if name == "cash":
                assert found.on(0) == parse_money("996.80")
            if name == "orders":
                assert [o.status for o in found] == [ReportStatus.RESTING]
            if name == "series":
                assert found[0].ticker == SERIES

    virtual(main())


@FEW
@given(st.data())
def test_a_broken_answer_is_incomplete_or_less(
    virtual: Run, virtual_clocks: Clocks, spoken: Spoken, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(READS)))
    body = data.draw(broken(json.loads(spoken.bodies[name])) | st.sampled_from(HOSTILE))
    status = data.draw(st.sampled_from([200, 200, 200, 206, 204]))

    async def main() -> Any:
        desk = Desk(virtual_clocks, Script(httpx.Response(status, content=body)))
        found = await READS[name](Reader(desk.http, desk.http.on_anomaly))
        for what, detail in desk.anomalies:
            assert "\u001b" not in what + detail
        return found

    found = virtual(main())
    if isinstance(found, Incomplete):
        assert "\u001b" not in found.reason and len(found.reason) < 600
    elif name == "positions":
        for position in found:
            assert f'"{position.ticker}"'.encode() in body, "no market that the body does not name"
    elif name == "fills":
        assert all(0 < f.price < ONE_DOLLAR and f.quantity > 0 for f in found)


@FEW
@given(st.data())
def test_a_broken_answer_to_an_order_is_never_a_rejection(
    virtual: Run, virtual_clocks: Clocks, data: st.DataObject
) -> None:
    """N09, N10, N11: an order that the venue took is found later, never given up."""
    body = data.draw(broken(json.loads(CREATED)) | st.sampled_from(HOSTILE))
    status = data.draw(st.sampled_from([200, 201, 202, 204, 206]))

    async def main() -> Any:
        return await Desk(virtual_clocks, Script(httpx.Response(status, content=body))).place()

    outcome = virtual(main())
    assert isinstance(outcome, Accepted | Unresolved)
    if isinstance(outcome, Accepted):
        assert outcome.order_id and min(outcome.filled, outcome.remaining) >= 0


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 422, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("body", [*HOSTILE, b'{"error":' * 50, b'{"error":{"code":"\\u001b]52;"}}'])
def test_any_error_body_is_an_outcome(virtual: Run, virtual_clocks: Clocks, status: int, body: bytes) -> None:
    async def main() -> Any:
        return await Desk(virtual_clocks, Script(httpx.Response(status, content=body))).place()

    outcome = virtual(main())
    certain = status < 500 and (status != 409 or b"code" in body)
    deep = b"[" * 100 in body or body.count(b"{") > 32
    assert isinstance(outcome, Unresolved if deep or not certain else Rejected)
    assert "\u001b" not in str(outcome)

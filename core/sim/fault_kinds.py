"""The catalogue of faults between a client and the exchange, and the rule each one strikes by.

Kinds are named by their rows of the project's fault catalogue: N the network, X the exchange, D the data.
A rule says which messages a kind may strike and what becomes of them; how often and in which bursts
is drawn for each run (``core.sim.plan``). What the exchange's world does by itself, whatever is being
said, is an act.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from random import Random

import msgspec

from core.sim.fates import (
    PLAIN,
    Answered,
    ConnectRefused,
    Cut,
    Delivered,
    Fate,
    Garbled,
    Held,
    Lost,
    Repeated,
)
from core.sim.garble import Garble


class FaultKind(enum.Enum):
    """Every row of the catalogue that is a fault of network, exchange or data."""

    N01 = "an order is lost before the exchange"
    N02 = "an order is accepted and the answer lost"
    N03 = "an order is accepted and filled and the answer lost"
    N04 = "an order lands 45 s after its sender gave up"
    N05 = "no connection: refused, no address, no handshake"
    N06 = "the connection is reset in the middle of a message"
    N07 = "an idle connection is closed as a request is written"
    N08 = "an HTTP/2 stream is refused"
    N09 = "an answer is empty or ends early"
    N10 = "a 2xx holds no order"
    N11 = "a field of an answer has another name"
    N12 = "429 on everything, without a word when to come back"
    N13 = "5xx on cancels"
    N14 = "the answer to a cancel is lost"
    N15 = "the private stream is silent while requests work"
    N16 = "requests are lost while the stream works"
    N17 = "half-open connections: packets vanish, nothing closes"
    N18 = "the stream says everything twice"
    N19 = "stream messages change their order within 30 s"
    N20 = "an answer comes after the fill it is about"
    N21 = "a book message is missing"
    N22 = "the stream is cut every 3 s"
    N23 = "one of two addresses is dead"
    N24 = "8 s of latency on everything"
    X01 = "the last fill races the cancel"
    X02 = "a fill after its cancel was confirmed"
    X03 = "a cancel is answered 'not found' and the order lives"
    X04 = "a list leaves out a row once"
    X05 = "a page comes twice, or comes empty"
    X06 = "positions lag by up to 20 s"
    X07 = "positions are empty once"
    X08 = "one trade with two contents"
    X09 = "an order fills beyond its size"
    X10 = "a matched trade fails later"
    X11 = "a matched trade stays unsettled"
    X12 = "settlement states flap"
    X13 = "a cross match is told from the other side"
    X14 = "a remainder of dust"
    X15 = "a batch is answered with fewer legs"
    X16 = "an order is called a duplicate"
    X17 = "a client id used again is accepted"
    X18 = "425, then post-only for two minutes"
    X19 = "trading or the whole exchange pauses"
    X20 = "503: cancel-only or disabled, with the same body"
    X21 = "the order group trips"
    X22 = "a late heartbeat cancels everything"
    X23 = "the heartbeat's chain of ids breaks"
    X24 = "the tick size changes under resting orders"
    X25 = "a market settles under orders and a position"
    X26 = "self-match prevention takes our resting order"
    X27 = "fees are not what was expected"
    X28 = "a sale of more than is held opens the other side"
    X29 = "an order is placed by hand on the account"
    D01 = "a book flows and its content stands still"
    D02 = "a price or count that cannot be"
    D03 = "a crossed book, or one without a side"
    D04 = "a model returns nonsense"
    D05 = "an edge too good to be true appears"
    D06 = "a market is not what it was"
    D07 = "bracket probabilities do not sum to one"
    D08 = "titles that write to a terminal"
    D09 = "a frame of 9 MB, or nested without end"
    D10 = "a status nobody has heard of"


POLYMARKET = frozenset(
    FaultKind[name] for name in ("X10", "X11", "X12", "X13", "X14", "X16", "X18", "X22", "X23")
)
"""Rows only that venue can produce. X13 needs no rule: both outcomes of its markets meet in one book."""

WITHOUT_RULE: dict[FaultKind, str] = {
    FaultKind.N08: "no client here speaks HTTP/2",
    FaultKind.X17: "an answer to an open question: the dialect's executed_id_is_free",
    FaultKind.X28: "the simulated exchange always does so",
    FaultKind.D04: "a fault of the model, not of a message",
    FaultKind.D07: "a fault of the model, not of a message",
}


class Point(enum.Enum):
    """Where on a message's way a rule strikes."""

    CONNECT = "connect"
    REQUEST = "request"
    ANSWER = "answer"
    FRAME = "frame"
    WORLD = "world"
    """No message: the exchange's world acts for as long as the kind's burst lasts."""


class Matter(enum.Enum):
    """What a message is about, as far as faults care."""

    CREATE = "create an order"
    CANCEL = "cancel orders or trigger a group"
    AMEND = "change an order or a group"
    ORDERS = "list orders"
    ORDER = "one order"
    FILLS = "list fills"
    POSITIONS = "list positions"
    LISTING = "describe series, events, markets"
    READ = "any other read"
    BEAT = "a heartbeat"
    PRIVATE = "frame about our own orders and fills"
    FILL = "frame about a fill of ours"
    SNAPSHOT = "frame with a whole book"
    DELTA = "frame with a change of a book"
    PUBLIC = "any other frame"


WRITES = frozenset({Matter.CREATE, Matter.CANCEL, Matter.AMEND, Matter.BEAT})
READS = frozenset({Matter.ORDERS, Matter.ORDER, Matter.FILLS, Matter.POSITIONS, Matter.LISTING, Matter.READ})
CALLS = WRITES | READS
OWN_FRAMES = frozenset({Matter.PRIVATE, Matter.FILL})
BOOK_FRAMES = frozenset({Matter.SNAPSHOT, Matter.DELTA})
FRAMES = OWN_FRAMES | BOOK_FRAMES | {Matter.PUBLIC}
ANYTHING = CALLS | FRAMES

_ROOT = "/trade-api/v2"
_LISTS = {
    "/portfolio/orders": Matter.ORDERS,
    "/portfolio/fills": Matter.FILLS,
    "/portfolio/positions": Matter.POSITIONS,
}
_POLYMARKET_POSTS = {
    "/order": Matter.CREATE,
    "/orders": Matter.CREATE,
    "/v1/heartbeats": Matter.BEAT,
    **dict.fromkeys(
        ("/books", "/prices", "/midpoints", "/spreads", "/last-trades-prices", "/orders-scoring"), Matter.READ
    ),
}
_POLYMARKET_READS = (
    ("/data/orders", Matter.ORDERS),
    ("/data/order/", Matter.ORDER),
    ("/data/trades", Matter.FILLS),
    ("/balance-allowance", Matter.POSITIONS),
    ("/data-api/v2/positions", Matter.POSITIONS),
    ("/gamma/", Matter.LISTING),
    ("/clob-markets/", Matter.LISTING),
)
_FRAME_TYPE = re.compile(rb'"type"\s*:\s*"([a-z_0-9]+)"')
_EVENT_TYPE = re.compile(rb'"event_type"\s*:\s*"([a-z_]+)"')
_FRAME_MATTERS = {
    b"fill": Matter.FILL,
    b"user_order": Matter.PRIVATE,
    b"market_position": Matter.PRIVATE,
    b"order_group_updates": Matter.PRIVATE,
    b"orderbook_snapshot": Matter.SNAPSHOT,
    b"orderbook_delta": Matter.DELTA,
}
_EVENT_MATTERS = {
    b"trade": Matter.FILL,
    b"order": Matter.PRIVATE,
    b"book": Matter.SNAPSHOT,
    b"price_change": Matter.DELTA,
}


def matter_of_call(method: str, path: str) -> Matter:
    """What a request is about; the path may begin at the API root and carry a query."""
    route = path.partition("?")[0].removeprefix(_ROOT)
    if method == "GET":
        if route in _LISTS:
            return _LISTS[route]
        if route.startswith("/portfolio/orders/"):
            return Matter.ORDER
        for prefix, matter in _POLYMARKET_READS:
            if route.startswith(prefix):
                return matter
        return Matter.LISTING if route.startswith(("/series", "/events", "/markets")) else Matter.READ
    if method == "DELETE" or route.endswith("/trigger"):
        return Matter.CANCEL
    if method == "POST" and route in _POLYMARKET_POSTS:
        return _POLYMARKET_POSTS[route]
    creates = method == "POST" and route in ("/portfolio/events/orders", "/portfolio/events/orders/batched")
    return Matter.CREATE if creates else Matter.AMEND


def matter_of_frame(message: bytes) -> Matter:
    """What a stream message is about: from the type at its head, or wherever Polymarket puts its own."""
    if (found := _FRAME_TYPE.search(message, 0, 80)) is not None:
        return _FRAME_MATTERS.get(found[1], Matter.PUBLIC)
    found = _EVENT_TYPE.search(message)
    return _EVENT_MATTERS.get(found[1], Matter.PUBLIC) if found is not None else Matter.PUBLIC


FateOf = Callable[[Random, float], Fate]
"""From a rule's own chance and a number that stays the same for one burst."""


class Rule(msgspec.Struct, frozen=True):
    """One way a kind strikes. ``every_ms`` keeps two strikes of it apart."""

    kind: FaultKind
    point: Point
    matters: frozenset[Matter]
    fate: FateOf
    every_ms: int = 0


class Trait(msgspec.Struct, frozen=True):
    """Between which bounds a kind's habits are drawn for a run."""

    rate: tuple[float, float] = (0.02, 0.3)
    """Share of the messages of its sort that are struck during a burst."""
    burst_ms: tuple[int, int] = (1_000, 30_000)
    quiet_ms: tuple[int, int] = (2_000, 60_000)


_STORM = Trait(rate=(1.0, 1.0))
_RARE = Trait(rate=(0.01, 0.1), burst_ms=(1_000, 10_000), quiet_ms=(10_000, 120_000))
_ACT = Trait(burst_ms=(2_000, 30_000), quiet_ms=(10_000, 120_000))

TRAITS: dict[FaultKind, Trait] = {
    **dict.fromkeys((FaultKind[n] for n in ("N12", "N13", "N15", "N16", "N18", "X06", "X20")), _STORM),
    FaultKind.N17: Trait(rate=(0.2, 1.0)),
    FaultKind.N19: Trait(rate=(0.3, 1.0)),
    FaultKind.N22: Trait(rate=(1.0, 1.0), burst_ms=(6_000, 60_000)),
    FaultKind.N23: Trait(rate=(0.5, 0.5)),
    FaultKind.N24: Trait(rate=(1.0, 1.0), burst_ms=(10_000, 60_000), quiet_ms=(30_000, 120_000)),
    **dict.fromkeys((FaultKind[n] for n in ("N21", "D02", "D03", "D06", "D08", "D09", "D10")), _RARE),
    **dict.fromkeys(
        (FaultKind[n] for n in ("X02", "X09", "X19", "X21", "X24", "X25", "X26", "X27", "X29", "D01", "D05")),
        _ACT,
    ),
    **dict.fromkeys((FaultKind[n] for n in ("X10", "X11", "X12", "X14", "X18", "X22", "X23")), _ACT),
}
"""Kinds not named here have ``Trait()``."""


def _of(*matters: Matter) -> frozenset[Matter]:
    return frozenset(matters)


def _always(fate: Fate) -> FateOf:
    return lambda _rng, _burst: fate


def _garbled(*ways: Garble, beside: bool = False) -> FateOf:
    return lambda rng, _: Garbled(ways[rng.randrange(len(ways))], rng.random(), beside)


def _refused(*statuses: int) -> FateOf:
    body = b'{"error":{"code":"service_unavailable","message":"service unavailable"}}'
    return lambda rng, _: Answered(statuses[rng.randrange(len(statuses))], body)


def _lost_behind_a_gateway(rng: Random, _: float) -> Fate:
    """The exchange has done it; the answer is lost, or a gateway tells of its own patience instead."""
    return rng.choice((Lost(), Lost(), Answered(502, _BAD_GATEWAY), Answered(504, _BAD_GATEWAY)))


def _disabled(_: Random, burst: float) -> Fate:
    """Cancels work in half of the bursts: the same body stands for both states."""
    return Answered(503, _UNAVAILABLE) if burst < 0.5 else PLAIN


_UNAVAILABLE = b'{"error":{"code":"exchange_unavailable","message":"exchange is unavailable"}}'
_BAD_GATEWAY = b"<html><body>bad gateway</body></html>"
_TOO_MANY = b'{"error":"too many requests"}'
_NOT_FOUND = b'{"error":{"code":"not_found","message":"order not found"}}'
_DUPLICATED = b'{"error":"order is invalid. Duplicated."}'

RULES: tuple[Rule, ...] = (
    Rule(FaultKind.N05, Point.CONNECT, ANYTHING, _always(ConnectRefused())),
    Rule(FaultKind.N23, Point.CONNECT, ANYTHING, _always(Lost())),
    Rule(FaultKind.N17, Point.REQUEST, CALLS, _always(Held())),
    Rule(FaultKind.N16, Point.REQUEST, CALLS, _always(Lost())),
    Rule(FaultKind.N12, Point.REQUEST, CALLS, _always(Answered(429, _TOO_MANY))),
    Rule(FaultKind.N13, Point.REQUEST, _of(Matter.CANCEL), _refused(500, 502, 503, 504)),
    Rule(
        FaultKind.X20, Point.REQUEST, _of(Matter.CREATE, Matter.AMEND), _always(Answered(503, _UNAVAILABLE))
    ),
    Rule(FaultKind.X20, Point.REQUEST, _of(Matter.CANCEL), _disabled),
    Rule(FaultKind.X03, Point.REQUEST, _of(Matter.CANCEL), _always(Answered(404, _NOT_FOUND))),
    Rule(FaultKind.N01, Point.REQUEST, _of(Matter.CREATE), _always(Lost())),
    Rule(
        FaultKind.N04,
        Point.REQUEST,
        _of(Matter.CREATE),
        lambda rng, _: Delivered(rng.randrange(45_000, 53_000)),
    ),
    Rule(FaultKind.N06, Point.REQUEST, CALLS, lambda rng, _: Cut(rng.random())),
    Rule(FaultKind.N07, Point.REQUEST, CALLS, _always(Cut(0.0))),
    Rule(FaultKind.X01, Point.REQUEST, _of(Matter.CANCEL), _always(Delivered(trades=True))),
    Rule(FaultKind.N24, Point.REQUEST, CALLS, _always(Delivered(4_000))),
    Rule(FaultKind.N06, Point.ANSWER, CALLS, lambda rng, _: Cut(rng.random())),
    Rule(FaultKind.N02, Point.ANSWER, _of(Matter.CREATE), _lost_behind_a_gateway),
    Rule(FaultKind.N03, Point.ANSWER, _of(Matter.CREATE), _always(Lost(trades=True))),
    Rule(FaultKind.N14, Point.ANSWER, _of(Matter.CANCEL), _lost_behind_a_gateway),
    Rule(FaultKind.N09, Point.ANSWER, CALLS, _garbled(Garble.EMPTY, Garble.TRUNCATED)),
    Rule(FaultKind.N10, Point.ANSWER, _of(Matter.CREATE), _garbled(Garble.NO_ORDER)),
    Rule(FaultKind.N11, Point.ANSWER, WRITES, _garbled(Garble.RENAMED)),
    Rule(
        FaultKind.N20, Point.ANSWER, _of(Matter.CREATE), lambda rng, _: Delivered(rng.randrange(500, 3_000))
    ),
    Rule(FaultKind.X04, Point.ANSWER, _of(Matter.ORDERS), _garbled(Garble.ROW_OMITTED)),
    Rule(FaultKind.X15, Point.ANSWER, _of(Matter.CANCEL), _garbled(Garble.ROW_OMITTED)),
    Rule(
        FaultKind.X05,
        Point.ANSWER,
        _of(Matter.ORDERS, Matter.FILLS, Matter.POSITIONS),
        lambda rng, burst: (
            Repeated(5_000, any_page=True) if burst < 0.5 else Garbled(Garble.EMPTY_PAGE, rng.random())
        ),
    ),
    Rule(FaultKind.X06, Point.ANSWER, _of(Matter.POSITIONS), _always(Repeated(20_000))),
    Rule(FaultKind.X07, Point.ANSWER, _of(Matter.POSITIONS), _garbled(Garble.EMPTY_LIST)),
    Rule(FaultKind.D02, Point.ANSWER, READS - {Matter.LISTING}, _garbled(Garble.NOT_A_NUMBER)),
    Rule(FaultKind.D02, Point.ANSWER, _of(Matter.LISTING), _garbled(Garble.BAD_NUMBER)),
    Rule(FaultKind.D06, Point.ANSWER, _of(Matter.LISTING), _garbled(Garble.OTHER_RULES)),
    Rule(FaultKind.D08, Point.ANSWER, _of(Matter.LISTING), _garbled(Garble.HOSTILE_TEXT)),
    Rule(FaultKind.D09, Point.ANSWER, READS, _garbled(Garble.NESTED, Garble.OVERSIZED)),
    Rule(FaultKind.D10, Point.ANSWER, _of(Matter.ORDERS, Matter.ORDER), _garbled(Garble.UNKNOWN_WORD)),
    Rule(FaultKind.N24, Point.ANSWER, CALLS, _always(Delivered(4_000, trickles=True))),
    Rule(FaultKind.N17, Point.FRAME, FRAMES, _always(Held())),
    Rule(FaultKind.N15, Point.FRAME, OWN_FRAMES, _always(Lost())),
    Rule(FaultKind.N22, Point.FRAME, FRAMES, _always(Cut(0.0)), every_ms=3_000),
    Rule(FaultKind.N21, Point.FRAME, BOOK_FRAMES, _always(Lost())),
    Rule(FaultKind.X08, Point.FRAME, _of(Matter.FILL), _garbled(Garble.OTHER_COUNT, beside=True)),
    Rule(FaultKind.D02, Point.FRAME, OWN_FRAMES, _garbled(Garble.NOT_A_NUMBER)),
    Rule(FaultKind.D02, Point.FRAME, FRAMES - OWN_FRAMES, _garbled(Garble.BAD_NUMBER)),
    Rule(FaultKind.D03, Point.FRAME, _of(Matter.SNAPSHOT), _garbled(Garble.CROSSED, Garble.ONE_SIDED)),
    Rule(FaultKind.D09, Point.FRAME, FRAMES, _garbled(Garble.NESTED, Garble.OVERSIZED)),
    Rule(FaultKind.D10, Point.FRAME, OWN_FRAMES, _garbled(Garble.UNKNOWN_WORD)),
    Rule(FaultKind.N18, Point.FRAME, FRAMES, _always(Delivered(copies=2))),
    Rule(FaultKind.N19, Point.FRAME, FRAMES, lambda rng, _: Delivered(rng.randrange(30_000), overtakes=True)),
    Rule(FaultKind.N24, Point.FRAME, FRAMES, _always(Delivered(8_000))),
    *(
        Rule(FaultKind[name], Point.WORLD, frozenset(), _always(PLAIN))
        for name in ("X02", "X09", "X19", "X21", "X24", "X25", "X26", "X27", "X29", "D01", "D05")
    ),
    Rule(FaultKind.X16, Point.ANSWER, _of(Matter.CREATE), _always(Answered(400, _DUPLICATED))),
    *(
        Rule(FaultKind[name], Point.WORLD, frozenset(), _always(PLAIN))
        for name in ("X10", "X11", "X12", "X14", "X18", "X22", "X23")
    ),
)
"""Where several strike one message, the first in this table decides. A rule's chance hangs on its place:
new ones go to the end."""

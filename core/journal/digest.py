"""What happened on the desk after a row of its journal: told to a person who comes back.

One pass over the rows, whatever program wrote them: a field that is missing shows as ``?``. Parts keep
their newest lines and count them all, so that a week's absence is no longer than an hour's.
"""

from __future__ import annotations

import sqlite3
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from core.domain.text import clean_text
from core.domain.units import Money, Price, Quantity, complement, money_text, quantity_text
from core.journal.events import COLUMNS, Kind, Row
from core.journal.files import JournalDamagedError, connect_read_only, sentence
from core.journal.wording import text_of

LINES_MAX = 40
"""Lines a part keeps."""
ALARMS_MAX = 1_000
"""Different ones that are told apart."""

FILLS, STOPS, ALARMS, SETTLED, CHANGES, HANDS = (
    "fills", "halts", "alarms", "settled", "changes", "hands",
)  # fmt: skip
PARTS = (STOPS, ALARMS, FILLS, SETTLED, CHANGES, HANDS)
"""Most urgent first."""

_PART_OF = {
    Kind.FILL: FILLS,
    Kind.EXTERNAL_FILL: FILLS,
    Kind.HALT: STOPS,
    Kind.RESUME: STOPS,
    Kind.TRIP: STOPS,
    Kind.FLATTEN_START: STOPS,
    Kind.FLATTEN_END: STOPS,
    Kind.SETTLEMENT: SETTLED,
    Kind.STATEMENT: SETTLED,
    Kind.ADJUSTMENT: CHANGES,
    Kind.MODE: CHANGES,
    Kind.PAUSE: CHANGES,
    Kind.ARM: CHANGES,
    Kind.LIMIT: CHANGES,
    Kind.ENABLE: CHANGES,
    Kind.STANDING: CHANGES,
    Kind.START: CHANGES,
    Kind.STOP: CHANGES,
    Kind.COMMAND: HANDS,
    Kind.VETO: HANDS,
}
_COUNTED = (
    Kind.ORDER_INTENT, Kind.SEND_OUTCOME, Kind.ORDER_REPORT, Kind.CANCEL_OUTCOME, Kind.NEVER_ARRIVED,
    Kind.WRITTEN_OFF, Kind.RESURRECTED, Kind.PROPOSAL, Kind.PROPOSAL_STATE, Kind.APPROVAL, Kind.ALARM,
    Kind.ACK, Kind.DAY,
)  # fmt: skip
KINDS = tuple(kind.value for kind in (*_PART_OF, *_COUNTED))
"""Kinds of rows that are looked at; the rest is data that came and went."""
WORKING, EXECUTED, CANCELLED, EXPIRED, REJECTED, NOT_SENT, UNKNOWN = (
    "working", "executed", "cancelled", "expired", "rejected", "not sent", "unknown",
)  # fmt: skip
_ANSWERS = {"accepted": WORKING, "rejected": REJECTED, "never_sent": NOT_SENT}
_STATUS = {"resting": WORKING, "canceled": CANCELLED, "executed": EXECUTED, "invalid": REJECTED}
_EXPIRY_REASON = "ExpiryCancel"
"""The venues' word for an end by time, as reports carry it."""
_NOTE = "NOTE"

Data = Mapping[str, Any]


class Line(msgspec.Struct, frozen=True):
    at_ms: int
    """Real wall time."""
    text: str
    seen: bool = True
    """Whether somebody has acknowledged it; only alarms can be unseen."""


class Part(msgspec.Struct, frozen=True):
    count: int
    lines: tuple[Line, ...]
    """The newest, oldest first."""


class Orders(msgspec.Struct, frozen=True):
    """How many orders came to what. One that was cancelled after a partial fill counts as cancelled."""

    placed: int
    alone: int
    """Of the placed those the engine released without a person's word."""
    executed: int
    cancelled: int
    expired: int
    rejected: int
    """By the venue."""
    not_sent: int
    unknown: int
    """Still without proof of their fate."""


class Cards(msgspec.Struct, frozen=True):
    offered: int
    approved: int
    vetoed: int
    expired: int
    withdrawn: int


class Digest(msgspec.Struct, frozen=True):
    upto: int
    """The newest row that was looked at; the row asked about where there was none."""
    days: int
    """World days that began, each with a result of its own."""
    fees: Money
    """Of all fills."""
    orders: Orders
    cards: Cards
    parts: dict[str, Part]
    """Every one of ``PARTS``."""

    @property
    def quiet(self) -> bool:
        """Whether nothing happened but cards that came and went."""
        return not any(part.count for part in self.parts.values()) and not any(
            msgspec.structs.astuple(self.orders)
        )


class Decided(msgspec.Struct, frozen=True):
    """What an order was for: whether it opens, and the edge of its card where that is known."""

    opens: bool
    edge: Price | None


Known = Callable[[str], Decided | None]
"""What is known of an order by its client order id; it may be older than the rows."""


def digest(rows: Iterable[Row], after: int, known: Known, own: Collection[str] = ()) -> Digest:
    """``rows``: those of ``KINDS`` behind ``after``, in order. ``own``: actors whose doings are no news."""
    fold = _Fold(known, own)
    upto = after
    for row in rows:
        fold.take(row)
        upto = row.seq
    return fold.told(upto)


def read_digest(path: Path, after: int, own: Collection[str] = ()) -> Digest:
    """From a journal beside its writer; raises ``JournalError``."""
    with closing(connect_read_only(path)) as connection:
        try:
            return digest(_rows(connection, after), after, lambda order: _known(connection, order), own)
        except sqlite3.Error as error:
            raise sentence(path, error) from None
        except msgspec.MsgspecError as error:
            raise JournalDamagedError(
                f"The journal {path} holds a row that cannot be read: {error}."
            ) from None


def _rows(connection: sqlite3.Connection, after: int) -> Iterator[Row]:
    marks = ", ".join("?" * len(KINDS))
    query = f"SELECT {', '.join(COLUMNS)} FROM event WHERE seq > ? AND kind IN ({marks}) ORDER BY seq"
    for columns in connection.execute(query, (after, *KINDS)):
        yield Row(*columns)


def _known(connection: sqlite3.Connection, order_id: str) -> Decided | None:
    """From the order's intent, and the row that led to it."""
    found = connection.execute(
        "SELECT payload, cause_seq FROM event WHERE order_id = ? AND kind = ?",
        (order_id, Kind.ORDER_INTENT.value),
    ).fetchone()
    if found is None:
        return None
    cause = connection.execute("SELECT payload FROM event WHERE seq = ?", (found[1],)).fetchone()
    edge = _get(_object(cause[0]), "edge") if cause is not None else None
    opens = _get(_object(found[0]), "intent", "purpose") == "open"
    return Decided(opens, Price(edge) if isinstance(edge, int) else None)


class _Fold:
    def __init__(self, known: Known, own: Collection[str]) -> None:
        self._known, self._own = known, own
        self._lines = {part: deque[Line](maxlen=LINES_MAX) for part in PARTS if part != ALARMS}
        self._counts: Counter[str] = Counter()
        self._alarms: dict[str, Line] = {}
        """By what they say; the same again counts, and takes the place of the earlier one."""
        self._orders: dict[str, str] = {}
        self._placed = self._alone = self._fees = self._days = 0
        self._cards: Counter[str] = Counter()
        self._vetoed: set[str] = set()

    def take(self, row: Row) -> None:
        kind, data = Kind(row.kind), row.data()
        if kind in (Kind.FILL, Kind.EXTERNAL_FILL):
            fee = _get(data, "fill", "fee")
            self._fees += fee if isinstance(fee, int) else 0
            self._line(FILLS, row, _fill(row, data, self._known(row.order_id) if row.order_id else None))
        elif kind is Kind.ALARM:
            self._alarm(row, str(data.get("text", "")))
        elif kind is Kind.ACK:
            what = str(data.get("text", "")).partition(": ")[2]
            if what in self._alarms:
                self._alarms[what] = msgspec.structs.replace(self._alarms[what], seen=True)
        elif kind in (Kind.COMMAND, Kind.VETO):
            if kind is Kind.VETO:
                self._vetoed.add(str(data.get("proposal_id", row.seq)))
            if row.actor not in self._own:
                self._line(HANDS, row, text_of(row))
        elif kind in _PART_OF:
            self._line(_PART_OF[kind], row, text_of(row))
        else:
            self._count(kind, row, data)

    def _line(self, part: str, row: Row, text: str) -> None:
        told = row.actor in ("engine", *self._own) or row.actor in text
        who = "" if told else f"  [{clean_text(row.actor)}]"
        self._counts[part] += 1
        self._lines[part].append(Line(row.ts_wall_ms, text + who))

    def _alarm(self, row: Row, text: str) -> None:
        level, _, what = text.partition(" ")
        if level == _NOTE:
            return
        self._counts[ALARMS] += 1
        self._alarms.pop(what, None)
        self._alarms[what] = Line(row.ts_wall_ms, text_of(row), seen=False)
        if len(self._alarms) > ALARMS_MAX:
            del self._alarms[next(iter(self._alarms))]

    def _count(self, kind: Kind, row: Row, data: Data) -> None:
        if kind is Kind.PROPOSAL:
            self._cards["OFFERED"] += 1
        elif kind is Kind.DAY:
            self._days += 1
        elif kind is Kind.APPROVAL:
            self._cards["APPROVED"] += 1
        elif kind is Kind.PROPOSAL_STATE:
            # As the sentence has it: "P12 EXPIRED ...".
            self._cards[next(iter(str(data.get("text", "")).split()[1:2]), "")] += 1
        elif kind is Kind.ORDER_INTENT:
            self._placed += 1
            self._alone += _get(data, "intent", "automatic") is True
        elif came := _came(kind, data):
            before = self._orders.get(row.order_id, "")
            # A later list may tell of the end without its reason.
            self._orders[row.order_id] = before if (before, came) == (EXPIRED, CANCELLED) else came

    def told(self, upto: int) -> Digest:
        came, cards = Counter(self._orders.values()), self._cards
        # Unseen ones stay where there is no room for all.
        rang = sorted(self._alarms.values(), key=lambda line: not line.seen)[-LINES_MAX:]
        orders = (came[word] for word in (EXECUTED, CANCELLED, EXPIRED, REJECTED, NOT_SENT, UNKNOWN))
        lines = {part: tuple(kept) for part, kept in self._lines.items()} | {ALARMS: tuple(rang)}
        return Digest(
            upto,
            self._days,
            Money(self._fees),
            Orders(self._placed, self._alone, *orders),
            Cards(
                cards["OFFERED"], cards["APPROVED"], len(self._vetoed), cards["EXPIRED"], cards["WITHDRAWN"]
            ),
            {part: Part(self._counts[part], lines[part]) for part in PARTS},
        )


def _came(kind: Kind, data: Data) -> str:
    """What an order has come to by this row; empty where it says nothing about that."""
    outcome = _get(data, "outcome", "type")
    if kind is Kind.SEND_OUTCOME:
        if outcome == "accepted" and _get(data, "outcome", "remaining") == 0:
            return EXECUTED if _get(data, "outcome", "filled") else CANCELLED
        return _ANSWERS.get(str(outcome), UNKNOWN)
    if kind is Kind.ORDER_REPORT:
        if _get(data, "report", "reason") == _EXPIRY_REASON:
            return EXPIRED
        return _STATUS.get(str(_get(data, "report", "status")), "")
    if kind is Kind.CANCEL_OUTCOME:
        return CANCELLED if outcome == "cancelled" else ""
    return WORKING if kind is Kind.RESURRECTED else NOT_SENT


def _fill(row: Row, data: Data, decided: Decided | None) -> str:
    """In terms of the outcome that was traded, where it is known what the order was for."""
    side, price = _get(data, "fill", "side"), _get(data, "fill", "price")
    quantity, fee = _get(data, "fill", "quantity"), _get(data, "fill", "fee")
    if decided is None or not all(isinstance(value, int) for value in (price, quantity, fee)):
        return text_of(row)
    yes = (side == "bid") is decided.opens
    own = price if yes else complement(Price(price))
    edge = f", edge {decided.edge / 100:+.1f}c" if decided.edge is not None else ""
    traded = f"{'bought' if decided.opens else 'sold'} {'YES' if yes else 'NO'}"
    return clean_text(
        f"{traded} {quantity_text(Quantity(quantity))} @ {own / 100:g}c {row.ticker}, "
        f"fee {money_text(Money(fee))}{edge}"
    )


def _object(payload: str) -> Data:
    return msgspec.json.decode(payload, type=dict[str, Any])


def _get(data: Data, *names: str) -> Any:
    value: Any = data
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value

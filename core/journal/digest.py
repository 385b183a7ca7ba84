"""What happened on the desk after a row of its journal: told to a person who comes back.

One pass over the rows, whatever program wrote them: a field that is missing shows as ``?``. Parts keep
their newest lines and count them all, so that a week's absence is no longer than an hour's.
"""

from __future__ import annotations

import sqlite3
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import closing
from functools import partial
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
}
_FILLS = (Kind.FILL, Kind.EXTERNAL_FILL)
_BY_HAND = (Kind.COMMAND, Kind.VETO)
_CAME = (
    Kind.SEND_OUTCOME, Kind.ORDER_REPORT, Kind.CANCEL_OUTCOME, Kind.NEVER_ARRIVED, Kind.WRITTEN_OFF,
    Kind.RESURRECTED,
)  # fmt: skip
"""Of these the newest of an order tells what it has come to."""
_COUNTED = (
    *_BY_HAND, *_CAME, Kind.ORDER_INTENT, Kind.PROPOSAL, Kind.PROPOSAL_STATE, Kind.APPROVAL, Kind.ALARM,
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


class _Payload(msgspec.Struct):
    """What is counted of a payload, values of any kind; all else in it is passed over unread."""

    text: Any = ""
    proposal_id: Any = ""
    edge: Any = None
    intent: Any = None
    outcome: Any = None
    report: Any = None
    fill: Any = None


_payload = msgspec.json.Decoder(_Payload).decode


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
    """Only numbers are put in order, from the index by kind: what comes and goes is not even read over."""
    marks = ", ".join("?" * len(KINDS))
    wanted = f"SELECT seq FROM event WHERE seq > ? AND kind IN ({marks})"
    query = f"SELECT {', '.join(COLUMNS)} FROM event WHERE seq IN ({wanted}) ORDER BY seq"
    for columns in connection.execute(query, (after, *KINDS)):
        yield Row(*columns)


def _known(connection: sqlite3.Connection, order_id: str) -> Decided | None:
    """From the order's intent, and the row that led to it."""
    found = connection.execute(
        # As the index of orders wants it asked; by kind alone every intent would be looked at.
        "SELECT payload, cause_seq FROM event WHERE order_id = ? AND order_id <> '' AND +kind = ?",
        (order_id, Kind.ORDER_INTENT.value),
    ).fetchone()
    if found is None:
        return None
    cause = connection.execute("SELECT payload FROM event WHERE seq = ?", (found[1],)).fetchone()
    edge = _payload(cause[0]).edge if cause is not None else None
    opens = _get(_payload(found[0]).intent, "purpose") == "open"
    return Decided(opens, Price(edge) if isinstance(edge, int) else None)


class _Fold:
    """Counts every row and keeps the newest ones, which alone are put into words."""

    def __init__(self, known: Known, own: Collection[str]) -> None:
        self._known, self._own = known, own
        self._kinds: Counter[str] = Counter()
        self._rows = {part: deque[Row](maxlen=LINES_MAX) for part in PARTS if part != ALARMS}
        self._counts: Counter[str] = Counter()
        self._alarms: dict[str, tuple[Row, bool]] = {}
        """By what they say, and whether somebody saw it; the same again counts, and takes the place of the
        earlier one."""
        self._orders: dict[str, str] = {}
        self._alone = self._fees = 0
        self._cards: Counter[str] = Counter()
        self._vetoed: set[str] = set()
        self._taken: dict[str, Callable[[Row], None]] = {
            **{kind.value: partial(self._keep, part) for kind, part in _PART_OF.items()},
            **{kind.value: self._fill for kind in _FILLS},
            **{kind.value: self._by_hand for kind in _BY_HAND},
            **{kind.value: partial(self._came, kind) for kind in _CAME},
            Kind.ORDER_INTENT.value: self._intent,
            Kind.PROPOSAL_STATE.value: self._card,
            Kind.ALARM.value: self._alarm,
            Kind.ACK.value: self._ack,
        }
        """Of the kinds that are more than a number."""

    def take(self, row: Row) -> None:
        self._kinds[row.kind] += 1
        if row.kind in self._taken:
            self._taken[row.kind](row)

    def _keep(self, part: str, row: Row) -> None:
        self._counts[part] += 1
        self._rows[part].append(row)

    def _fill(self, row: Row) -> None:
        fee = _get(_payload(row.payload).fill, "fee")
        self._fees += fee if isinstance(fee, int) else 0
        self._keep(FILLS, row)

    def _by_hand(self, row: Row) -> None:
        if row.kind == Kind.VETO.value:
            self._vetoed.add(str(_payload(row.payload).proposal_id or row.seq))
        if row.actor not in self._own:
            self._keep(HANDS, row)

    def _alarm(self, row: Row) -> None:
        level, _, what = str(_payload(row.payload).text).partition(" ")
        if level == _NOTE:
            return
        self._counts[ALARMS] += 1
        self._alarms.pop(what, None)
        self._alarms[what] = (row, False)
        if len(self._alarms) > ALARMS_MAX:
            del self._alarms[next(iter(self._alarms))]

    def _ack(self, row: Row) -> None:
        what = str(_payload(row.payload).text).partition(": ")[2]
        if what in self._alarms:
            self._alarms[what] = (self._alarms[what][0], True)

    def _intent(self, row: Row) -> None:
        self._alone += _get(_payload(row.payload).intent, "automatic") is True

    def _card(self, row: Row) -> None:
        # As the sentence has it: "P12 EXPIRED ...".
        self._cards[next(iter(str(_payload(row.payload).text).split(maxsplit=2)[1:2]), "")] += 1

    def _came(self, kind: Kind, row: Row) -> None:
        came = _came(kind, _payload(row.payload))
        if came:
            before = self._orders.get(row.order_id, "")
            # A later list may tell of the end without its reason.
            self._orders[row.order_id] = before if (before, came) == (EXPIRED, CANCELLED) else came

    def told(self, upto: int) -> Digest:
        came, cards, kinds = Counter(self._orders.values()), self._cards, self._kinds
        # Unseen ones stay where there is no room for all.
        rang = sorted(self._alarms.values(), key=lambda rung: not rung[1])[-LINES_MAX:]
        orders = (came[word] for word in (EXECUTED, CANCELLED, EXPIRED, REJECTED, NOT_SENT, UNKNOWN))
        lines = {part: tuple(map(self._line, kept)) for part, kept in self._rows.items()}
        lines[ALARMS] = tuple(Line(row.ts_wall_ms, text_of(row), seen) for row, seen in rang)
        return Digest(
            upto,
            kinds[Kind.DAY.value],
            Money(self._fees),
            Orders(kinds[Kind.ORDER_INTENT.value], self._alone, *orders),
            Cards(
                kinds[Kind.PROPOSAL.value],
                kinds[Kind.APPROVAL.value],
                len(self._vetoed),
                cards["EXPIRED"],
                cards["WITHDRAWN"],
            ),
            {part: Part(self._counts[part], lines[part]) for part in PARTS},
        )

    def _line(self, row: Row) -> Line:
        text = self._traded(row) if Kind(row.kind) in _FILLS else text_of(row)
        told = row.actor in ("engine", *self._own) or row.actor in text
        return Line(row.ts_wall_ms, text + ("" if told else f"  [{clean_text(row.actor)}]"))

    def _traded(self, row: Row) -> str:
        """In terms of the outcome that was traded, where it is known what the order was for."""
        decided, fill = self._known(row.order_id) if row.order_id else None, _payload(row.payload).fill
        side, price, quantity, fee = (_get(fill, name) for name in ("side", "price", "quantity", "fee"))
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


def _came(kind: Kind, told: _Payload) -> str:
    """What an order has come to by this row; empty where it says nothing about that."""
    outcome = _get(told.outcome, "type")
    if kind is Kind.SEND_OUTCOME:
        if outcome == "accepted" and _get(told.outcome, "remaining") == 0:
            return EXECUTED if _get(told.outcome, "filled") else CANCELLED
        return _ANSWERS.get(str(outcome), UNKNOWN)
    if kind is Kind.ORDER_REPORT:
        if _get(told.report, "reason") == _EXPIRY_REASON:
            return EXPIRED
        return _STATUS.get(str(_get(told.report, "status")), "")
    if kind is Kind.CANCEL_OUTCOME:
        return CANCELLED if outcome == "cancelled" else ""
    return WORKING if kind is Kind.RESURRECTED else NOT_SENT


def _get(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None

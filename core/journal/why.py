"""The whole story of one order, card or row of the journal: what led to it, what was checked, what became of
it."""

from __future__ import annotations

import sqlite3
import textwrap
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec

from core.domain.text import clean_text
from core.journal.events import COLUMNS, Kind, Row
from core.journal.files import JournalError, connect_read_only
from core.journal.wording import clock_text, text_of

STORY_ROWS_MAX = 500
WIDTH = 110
GATE_MAX = 4_000

_SELECT = f"SELECT {', '.join(COLUMNS)} FROM event"


_CARD_KINDS = ("PROPOSAL", "PROPOSAL_STATE", "APPROVAL", "DENIED", "COMMAND", "VETO", "VETO_OUTCOME")
_OF_CARD = f"kind IN ({', '.join(map(repr, _CARD_KINDS))}) AND json_extract(payload, '$.proposal_id') = ?"
_OF_ORDER = "order_id = ? AND order_id <> ''"
_SENT_FROM = "kind = 'ORDER_INTENT' AND json_extract(payload, '$.intent.proposal_id') = ?"


def why(path: Path, given: str) -> tuple[str, ...]:
    """Lines for a person. ``given``: a card's id; client order id, venue order id, or a unique beginning or
    end of either.

    Raises ``JournalError`` when there is no such order or card, or more than one order.
    """
    if not given.isascii():
        raise _unnamed(path, given)
    with _reading(path) as connection:
        rows = _card(connection, given) if given else []
        if rows:
            return tuple(_lines(f"card {given}", rows))
        client = _resolve(connection, path, given)
        return tuple(_lines(f"order {client}", _story(connection, client)))


def why_row(path: Path, seq: int) -> tuple[str, ...]:
    """The same of the row ``seq``: the story of its order, else of its card, else what led to it and what it
    led to. Raises ``JournalError`` when there is no such row."""
    with _reading(path) as connection:
        row = next(_read(connection, "seq = ?", seq), None)
        if row is None:
            raise JournalError(f"There is no row {seq} in {path}.")
        card = _field(row, "proposal_id")
        if row.order_id:
            return tuple(_lines(f"order {row.order_id}", _story(connection, row.order_id)))
        if card:
            return tuple(_lines(f"card {card}", _card(connection, card)))
        came = _read(connection, "seq > ?1 AND cause_seq = ?1", seq)
        return tuple(_lines(f"row {seq}", _with_causes(connection, [row, *came])))


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        with closing(connect_read_only(path)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise JournalError(f"The journal {path} cannot be read: {error}.") from None


def _unnamed(path: Path, given: str) -> JournalError:
    return JournalError(f"There is no order and no card {given[:80]!r} in {path}.")


def _resolve(connection: sqlite3.Connection, path: Path, given: str) -> str:
    found = connection.execute(
        """
        SELECT DISTINCT order_id FROM event WHERE order_id <> '' AND (
            order_id = :given OR substr(order_id, 1, length(:given)) = :given
            OR substr(order_id, -length(:given)) = :given
        )
        UNION
        SELECT DISTINCT order_id FROM event WHERE order_id <> '' AND kind = :accepted
            AND substr(json_extract(payload, '$.outcome.order_id'), 1, length(:given)) = :given
        UNION
        SELECT DISTINCT order_id FROM event WHERE order_id <> '' AND kind = :reported
            AND substr(json_extract(payload, '$.report.order_id'), 1, length(:given)) = :given
        LIMIT 6
        """,
        {"given": given, "accepted": Kind.SEND_OUTCOME.value, "reported": Kind.ORDER_REPORT.value},
    ).fetchall()
    names = [row[0] for row in found]
    if given in names:
        return given
    if not names or not given:
        raise _unnamed(path, given)
    if len(names) > 1:
        raise JournalError(f"{given[:80]!r} fits more than one order: {', '.join(names)}.")
    return str(names[0])


def _story(connection: sqlite3.Connection, client: str) -> list[Row]:
    """The order's own rows, those of its proposal, and every row that led to one of them."""
    rows = [*_read(connection, _OF_ORDER, client)]
    for row in tuple(rows):
        if row.kind == Kind.ORDER_INTENT.value and (card := _field(row, "intent", "proposal_id")):
            rows += _read(connection, _OF_CARD, card)
    return _with_causes(connection, rows)


def _card(connection: sqlite3.Connection, card: str) -> list[Row]:
    """The card's own rows, those of the orders it became, and every row that led to one of them."""
    rows = [*_read(connection, _OF_CARD, card)]
    for intent in _read(connection, _SENT_FROM, card) if rows else ():
        rows += _read(connection, _OF_ORDER, intent.order_id)
    return _with_causes(connection, rows)


def _with_causes(connection: sqlite3.Connection, known: Iterable[Row]) -> list[Row]:
    """These in their order, with what led to them."""
    rows = {row.seq: row for row in known}
    todo = [row.cause_seq for row in rows.values()]
    while todo and len(rows) < STORY_ROWS_MAX:
        seq = todo.pop()
        if seq is not None and seq not in rows:
            for row in _read(connection, "seq = ?", seq):
                rows[seq] = row
                todo.append(row.cause_seq)
    return [rows[seq] for seq in sorted(rows)]


def _read(connection: sqlite3.Connection, where: str, value: object) -> Iterator[Row]:
    for columns in connection.execute(
        f"{_SELECT} WHERE {where} ORDER BY seq LIMIT {STORY_ROWS_MAX}", (value,)
    ):
        yield Row(*columns)


def _field(row: Row, *names: str) -> str:
    value: Any = row.data()
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""


def _lines(head: str, rows: list[Row]) -> Iterator[str]:
    yield head
    before: int | None = None
    for row in rows:
        since = "" if before is None else f"+{(row.ts_wall_ms - before) / 1000:.3f}s"
        before = row.ts_wall_ms
        who = "" if row.actor == "engine" else f"  [{row.actor}]"
        caused = f" <- #{row.cause_seq}" if row.cause_seq is not None else ""
        stamp = f"{clock_text(row.ts_wall_ms)} {since:>9}  #{row.seq}{caused}"
        yield f"{stamp}  {row.kind:<14}  {text_of(row)}{who}"
        if row.kind == Kind.ORDER_INTENT.value:
            yield from _gate(_field(row, "gate"))


def _gate(text: str) -> Iterator[str]:
    """What the gate looked at: one value a line when the text is a JSON object, else as written."""
    if not text:
        return
    try:
        values = msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError:
        yield from textwrap.wrap(
            f"gate: {clean_text(text, GATE_MAX)}", WIDTH, initial_indent=" " * 8, subsequent_indent=" " * 14
        )
        return
    yield " " * 8 + "gate:"
    for name, value in values.items():
        shown = clean_text(value if isinstance(value, str) else msgspec.json.encode(value).decode(), GATE_MAX)
        yield from textwrap.wrap(
            f"{name}: {shown}", WIDTH, initial_indent=" " * 10, subsequent_indent=" " * 14
        )

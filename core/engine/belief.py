"""What the engine believes, as short marks in the journal, and whether a replay comes to believe the same.

Orders, positions and halts are kept in memory as things happen and are rebuilt from rows at a start:
two ways to one result. A mark says what the first way had come to; a start takes the second way up to
the newest mark and locks the desk when the two differ.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec

from core.execution import replaying
from core.execution.events import LedgerEvent
from core.execution.ledger import Ledger
from core.journal.events import Event, Kind
from core.journal.store import EventLog
from core.risk.halts import Halt, Halts

MARK_S = 3_600.0
FORM = 5
"""Grows with every change of what an order or a position holds."""


class Mark(msgspec.Struct, frozen=True):
    """Payload of a ``BELIEF`` row: a short sha-256 of each part, and how many fills there were."""

    positions: str
    orders: str
    """The live ones."""
    halts: str
    fills: int
    form: int = 0
    """Of what was digested; marks of another form are not compared."""


def mark_of(ledger: Ledger, halts: Iterable[Halt]) -> Mark:
    """A flatten that runs is what a restart makes of it: locked."""
    standing = Halts.restored(halts).standing
    return Mark(
        _digest(ledger.positions),
        _digest(ledger.live),
        _digest(sorted(standing, key=str)),
        len(ledger.fills),
        FORM,
    )


def note(log: EventLog, ledger: Ledger, halts: Halts) -> None:
    """Write down what the engine believes now."""
    log.append(Event(Kind.BELIEF, mark_of(ledger, halts.standing)))


class Noted(msgspec.Struct, frozen=True):
    """The newest mark of a journal, and the halts that its rows had come to there."""

    seq: int
    mark: Mark
    halts: tuple[Halt, ...]


def replay(ledger: Ledger, rows: list[tuple[int, str, LedgerEvent]], noted: Noted | None, now_ns: int) -> str:
    """Rebuild the ledger; why what comes out is not what the engine had, empty when it is."""
    if noted is None:
        return _contradiction(replaying.replay(ledger, rows, now_ns))
    odd = replaying.replay(ledger, (row for row in rows if row[0] < noted.seq), now_ns)
    found = mark_of(ledger, noted.halts)
    odd += replaying.replay(ledger, (row for row in rows if row[0] > noted.seq), now_ns)
    if odd:
        return _contradiction(odd)
    if noted.mark.form != FORM:
        return ""
    wrong = [name for name in Mark.__struct_fields__ if getattr(found, name) != getattr(noted.mark, name)]
    if not wrong:
        return ""
    return f"the journal's rows up to {noted.seq} give other {', '.join(wrong)} than the engine had"


def _contradiction(odd: list[str]) -> str:
    """Rows that do not fit the rows before them, as one sentence; empty for none."""
    more = f" and {len(odd) - 1} more" if len(odd) > 1 else ""
    return f"the journal contradicts itself: {odd[0]}{more}" if odd else ""


def _digest(part: object) -> str:
    return hashlib.sha256(msgspec.json.encode(part, order="deterministic")).hexdigest()[:16]

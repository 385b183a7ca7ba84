"""Taking up at the start what the run before could only leave in the spill log."""

from __future__ import annotations

import sqlite3

import msgspec

from core.journal.events import COLUMNS, Chain, Event, Kind, Row
from core.journal.spill import Spilled

INSERT = f"INSERT INTO event ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"


class TakenUp(msgspec.Struct, frozen=True):
    """Payload of a ``SPILL`` row: the rows right after it are the run's own, numbered anew."""

    text: str
    run: str
    rows: int
    missing: int
    """Rows of that run which were neither on disk nor in the spill log: market data and the like."""
    spill: str
    """Hash of the spill log's last record, so that the same content is never taken up twice."""


def take_up(connection: sqlite3.Connection, spilled: Spilled, chain: Chain) -> tuple[Row, ...]:
    """Append what the spill log holds and the journal does not, in one transaction; the rows appended.

    Times, actors and runs stay what they were; numbers and hashes continue ``chain``, the journal's.
    """
    if not spilled.rows or spilled.head in _taken_up(connection):
        return ()
    left = [row for row in spilled.rows if not _there(connection, row)]
    first, last = spilled.rows[0], spilled.rows[-1]
    seq = chain.seq
    missing = max(0, last.seq - seq - len(left))
    text = (
        f"{len(left)} rows of run {first.run_id} came back from the spill log, {missing} were never written"
    )
    note = TakenUp(text, first.run_id, len(left), missing, spilled.head)
    rows = [chain.next(Event(Kind.SPILL, note))]
    numbers: dict[int, int] = {}
    for row in left:
        cause = row.cause_seq
        if cause is not None and cause > seq:
            cause = numbers.get(cause)
        rows.append(chain.adopt(row, cause))
        numbers[row.seq] = rows[-1].seq
    connection.execute("BEGIN IMMEDIATE")
    # A power cut may have taken the run's own entry; its rows are not to be lost for that.
    connection.execute(
        "INSERT OR IGNORE INTO owner (run_id, boot_id, code_version, opened_ms) VALUES (?, ?, '', ?)",
        (first.run_id, first.boot_id, first.ts_wall_ms),
    )
    connection.executemany(INSERT, [msgspec.structs.astuple(row) for row in rows])
    connection.execute("COMMIT")
    return tuple(rows)


def _taken_up(connection: sqlite3.Connection) -> set[str]:
    notes = connection.execute("SELECT payload FROM event WHERE kind = ?", (Kind.SPILL.value,))
    return {msgspec.json.decode(payload, type=TakenUp).spill for (payload,) in notes}


def _there(connection: sqlite3.Connection, row: Row) -> bool:
    """A commit that was reported as failed may have reached the disk all the same."""
    found = connection.execute("SELECT hash FROM event WHERE seq = ?", (row.seq,)).fetchone()
    return found is not None and found[0] == row.hash

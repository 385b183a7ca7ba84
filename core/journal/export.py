"""The journal as JSON lines, one event a line, for other people's tools."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from core.journal.files import read_rows


class ExportedEvent(msgspec.Struct, frozen=True):
    """One line. ``at`` is RFC 3339 UTC; ``payload`` as stored; ``hash`` chains to the line before."""

    seq: int
    at: str
    kind: str
    actor: str
    order_id: str
    ticker: str
    cause_seq: int | None
    run_id: str
    boot_id: str
    mono_ns: int
    payload: msgspec.Raw
    prev_hash: str
    hash: str


def export(path: Path) -> Iterator[str]:
    """Lines without their line ends, the chain checked on the way; raises ``JournalError``."""
    for row in read_rows(path):
        at = datetime.fromtimestamp(row.ts_wall_ms / 1000, UTC).isoformat(timespec="milliseconds")
        line = ExportedEvent(
            row.seq,
            at.replace("+00:00", "Z"),
            row.kind,
            row.actor,
            row.order_id,
            row.ticker,
            row.cause_seq,
            row.run_id,
            row.boot_id,
            row.ts_mono_ns,
            msgspec.Raw(row.payload.encode()),
            row.prev_hash,
            row.hash,
        )
        yield msgspec.json.encode(line).decode()

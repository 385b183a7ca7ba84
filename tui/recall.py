"""The journal's file, read beside the engine: what no frame carries. Each call blocks: run it in a thread."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from core.control.tables.account import JournalRow
from tui.format import sanitise
from tui.tables import clean

if TYPE_CHECKING:
    from core.journal.digest import Digest
    from core.journal.events import Row

VALUE_MAX = 600
"""Characters of one value."""


class RecallError(Exception):
    """The journal cannot be read; the text is the sentence for the operator."""


def since(path: Path, after: int, own: Collection[str]) -> Digest:
    """What happened behind a row; raises ``RecallError``."""
    from core.journal.digest import read_digest

    with _sentences():
        return read_digest(path, after, own)


class Page(NamedTuple):
    rows: tuple[JournalRow, ...]
    """Oldest first."""
    reached: int
    """The oldest number that was looked at; 1 and less: there is nothing before."""


def page(path: Path, before: int, fits: Callable[[JournalRow], bool]) -> Page:
    """The newest entries before a number that fit; raises ``RecallError``."""
    from core.journal import pages

    with _sentences():
        found = pages.page(path, before, lambda row: fits(_entry(row)))
        return Page(tuple(map(_entry, found.rows)), found.reached)


def entry(path: Path, seq: int) -> tuple[tuple[str, str], ...]:
    """Names and values of one entry, its payload a name a field; raises ``RecallError``."""
    from core.journal import pages
    from core.journal.wording import text_of

    with _sentences():
        row, cause = pages.entry(path, seq)
        fields = [("actor", row.actor)]
        if cause is not None:
            fields.append(("caused by", f"#{cause.seq} {cause.kind} {text_of(cause)}"))
        return tuple((name, sanitise(value, VALUE_MAX)) for name, value in (*fields, *_flat("", row.data())))


def story(path: Path, about: str | int) -> tuple[str, ...]:
    """All that led to an order, or to an entry by its number, and became of it, a line a row; raises
    ``RecallError``."""
    from core.journal.why import why, why_row

    with _sentences():
        return why(path, about) if isinstance(about, str) else why_row(path, about)


def _entry(row: Row) -> JournalRow:
    """As the engine would tell it, safe to draw."""
    from core.journal.wording import text_of

    return clean(JournalRow(row.seq, row.ts_wall_ms, row.kind, text_of(row), row.order_id, row.ticker))


def _flat(prefix: str, value: Any) -> Iterator[tuple[str, str]]:
    """The fields of a payload; one inside another by both names."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _flat(f"{prefix}.{name}" if prefix else str(name), inner)
    else:
        yield prefix, value if isinstance(value, str) else msgspec.json.encode(value).decode()


@contextlib.contextmanager
def _sentences() -> Iterator[None]:
    from core.journal.files import JournalError

    try:
        yield
    except JournalError as error:
        raise RecallError(str(error)) from error
    except msgspec.MsgspecError as error:
        raise RecallError(f"The journal holds a row that cannot be read: {error}.") from error

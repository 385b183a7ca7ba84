"""Pages of a journal, back from any row: each row once, in order, whatever is filtered."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.journal import pages
from core.journal.events import Event, Kind
from core.journal.files import JournalError
from core.journal.pages import entry, page
from tests.journal.test_digest import write

ROWS = 37


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("pages") / "journal.db"
    events = [
        Event(Kind.COMMAND, {"text": f"n{n}"}, cause_seq=n - 1 if n > 1 else None) for n in range(1, ROWS + 1)
    ]
    asyncio.run(write(made, events))
    return made


@settings(max_examples=60, deadline=None)
@given(st.integers(1, ROWS + 5), st.integers(1, 9), st.integers(1, 12), st.integers(1, 6))
def test_pages_back_to_the_beginning_hold_every_row_that_fits_once(
    path: Path, before: int, size: int, scan: int, step: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pages, "PAGE_ROWS", size)
        patch.setattr(pages, "SCAN_ROWS", scan)
        found: list[int] = []
        reached, calls = before, 0
        while reached > 1:
            one = page(path, reached, lambda row: row.seq % step == 0)
            assert one.reached < reached and len(one.rows) <= size
            seqs = [row.seq for row in one.rows]
            assert seqs == sorted(seqs)
            found[:0], reached, calls = seqs, one.reached, calls + 1
        assert found == [seq for seq in range(1, min(before, ROWS + 1)) if seq % step == 0]


def test_an_entry_comes_with_what_led_to_it(path: Path) -> None:
    row, cause = entry(path, 7)
    assert row.seq == 7 and cause is not None and cause.seq == 6
    assert entry(path, 1)[1] is None
    with pytest.raises(JournalError, match="There is no row 99"):
        entry(path, 99)
    with pytest.raises(JournalError, match="There is no journal"):
        page(path.with_name("none.db"), 9, lambda row: True)

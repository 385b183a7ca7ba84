"""The Journal screen: filter, older pages from the file, an entry whole, the story of its order."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.control.tables.account import JournalRow
from core.execution.events import OrderIntended
from core.journal.events import Event, Kind
from tests.journal.test_story import an_intent
from tests.tui.conftest import running
from tests.tui.test_returning import journal_of, past
from tests.tui.test_screens import checked_lines
from tui import recall
from tui.journal_filter import Filter, parse
from tui.lines import plain
from tui.recall import RecallError
from tui.screens.journal import entry_lines

ROW = JournalRow(7, 1_700_000_000_000, "FILL", "bought 4.00 at 32c", "pm-91c7", "KXHIGHNY-26NOV23-B48.5")


@pytest.mark.parametrize(
    ("typed", "fits"),
    [
        ("", True), ("fill", True), ("FILL 32c", True), ("kind:fill", True), ("kind:bought", False),
        ("market:highny", True), ("market:fill", False), ("order:91c7", True), ("order:91c8", False),
        ("kind:fill market:kxhigh bought", True), ("bought sold", False), ("price:32c", False),
    ],
)  # fmt: skip
def test_every_word_must_be_found_and_some_in_one_place_only(typed: str, fits: bool) -> None:
    assert parse(typed).fits(ROW) is fits
    assert bool(parse(typed)) is bool(typed)


@given(st.text(max_size=40))
def test_whatever_is_typed_is_a_filter_that_reads_the_same_again(typed: str) -> None:
    found = parse(typed)
    assert parse(found.text) == found
    assert isinstance(found, Filter) and found.fits(ROW) in (True, False)


def test_an_entry_shows_what_is_known_of_it_and_no_line_is_too_wide() -> None:
    fields = (("actor", "engine"), ("caused by", "#6 APPROVAL P1 approved"), ("fill.price", "3200"))
    rows = [plain(row) for row in entry_lines(ROW, fields, 60, "v")]
    assert max(map(len, rows)) <= 60
    whole = " ".join(" ".join(rows).split())
    for words in (
        "FILL seq 7",
        "pm-91c7",
        "KXHIGHNY",
        "caused by #6 APPROVAL P1 approved",
        "fill.price 3200",
    ):
        assert words in whole


async def test_the_file_is_told_in_drawable_words_or_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    odd = {"text": "a\u202eb", "deep": {"price": 3200, "list": [1, 2]}}
    await journal_of(path, Event(Kind.COMMAND, {"text": "first"}), Event(Kind.ALARM, odd, "", "T", 1, "me"))
    page = recall.page(path, 3, lambda row: row.kind == "ALARM")
    assert [(row.seq, row.text, row.ticker) for row in page.rows] == [(2, "ab", "T")] and page.reached == 1
    assert recall.entry(path, 2) == (
        ("actor", "me"), ("caused by", "#1 COMMAND first"), ("deep.list", "[1,2]"), ("deep.price", "3200"),
        ("text", "ab"),
    )  # fmt: skip
    for asked in (lambda: recall.entry(path, 9), lambda: recall.story(path, "none")):
        with pytest.raises(RecallError, match=r"There is no (row|order)"):
            asked()


async def test_older_pages_a_filter_an_entry_and_an_orders_story(directory: Path) -> None:
    """The engine's frames bring rows 101 to 103; the file has all of them from the beginning."""
    client = "pm-r1-0001-abc"
    early = [Event(Kind.COMMAND, {"text": f"early {n}"}) for n in range(1, 60)]
    made = Event(Kind.ORDER_INTENT, OrderIntended(an_intent(client), '{"passed":true}'), client, "KXT")
    late = [Event(Kind.FEED, {"text": f"late {n}"}) for n in range(61, 101)]
    await journal_of(directory / "journal.db", *early, made, *late)
    async with running(directory, size=(120, 36), record=past(directory)) as desk:
        await desk.press("8")
        await desk.shows("Proposed")
        await desk.shows("late 90")
        await desk.shows("from the beginning")
        await desk.press("home")
        await desk.shows("early 1 ")
        await desk.press("slash", *"kind", "colon", *"order_intent", "enter")
        await desk.shows("JOURNAL 1 entry from the beginning")
        assert "early" not in desk.text and "filter: kind:order_intent" in desk.text
        await desk.press("enter")
        await desk.shows("intent.client_order_id")
        checked_lines(desk)
        await desk.press("v")
        await desk.shows(f"WHY {client}")
        await desk.shows("BUY YES 10.00 @ 32c")
        await desk.press("escape", "slash", *"early 57", "enter")
        await desk.shows("filter: early 57")
        await desk.press("v")
        await desk.shows("WHY entry 57")
        await desk.shows("COMMAND early 57")
        await desk.press("escape", "3", "home", "v")
        await desk.shows("There is no order")
        assert " worth " in desk.text, "what the order is stands above its story"
        await desk.press("escape", "8", "slash", "enter")
        await desk.shows("filter: none")
        await desk.shows("Proposed")

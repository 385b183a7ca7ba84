"""The operator's file of views: what is read, what is refused by line, and that nothing in it is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.feeds.calendar.view_file import append
from core.feeds.calendar.views import FILE, HEADER, parse_views, read_view, written
from core.feeds.releases import Centre, View

TODAY = "2026-12-08"
GOOD = "CPI,2026-12-10,consensus,0.3,0.08,Bloomberg survey,2026-12-07"
VIEW = View("CPI", "2026-12-10", Centre.CONSENSUS, 0.3, 0.08, "Bloomberg survey", "2026-12-07")


def parsed(*lines: str) -> tuple[View, ...] | str:
    return parse_views("\n".join((",".join(HEADER), *lines)), "views.csv", TODAY)


def test_a_file_is_read_line_by_line_and_written_the_same() -> None:
    assert parsed("# noted by hand", GOOD, "") == (VIEW,)
    assert written(VIEW) == GOOD
    assert parsed('jobs,2026-12-04,OWN,-20,,"me, by hand",2026-12-01') == (
        View("JOBS", "2026-12-04", Centre.OWN, -20.0, None, "me, by hand", "2026-12-01"),
    )


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("CPI,2026-12-10,consensus,0.3", "4 columns instead of 7: write kind,release_date"),
        (GOOD.replace("CPI", "PPI"), "'PPI' is no figure: use CPI, CPI-CORE"),
        (GOOD.replace("2026-12-10", "2026-13-10"), "'2026-13-10' is no date of a release"),
        (GOOD.replace("2026-12-07", "7 Dec"), "'7 Dec' is no date of its entry"),
        (GOOD.replace("2026-12-07", "2026-12-09"), "entered on 2026-12-09, which is still to come"),
        (GOOD.replace("2026-12-10", "2026-12-04"), "after the release of 2026-12-04"),
        (GOOD.replace("consensus", "guess"), "'guess' is no centre: use consensus, nowcast, own"),
        (GOOD.replace("0.3", "nan"), "'nan' is no value"),
        (GOOD.replace("0.08", "0"), "'0' is no deviation"),
        (GOOD.replace("Bloomberg survey", " "), "it names no source"),
    ],
)
def test_a_bad_line_is_named_with_its_remedy(line: str, why: str) -> None:
    found = parsed(GOOD, line)
    assert isinstance(found, str) and found.startswith("views.csv:3: ") and why in found


def test_without_the_columns_names_the_file_is_refused() -> None:
    assert "views.csv:1: the columns have no names" in str(parse_views(GOOD, "views.csv", TODAY))


@given(st.text(max_size=200))
def test_nothing_is_raised(text: str) -> None:
    parse_views(text, "views.csv", TODAY)


@given(st.text(min_size=1, max_size=60), st.floats(-1e6, 1e6).map(lambda v: round(v, 3)))
def test_what_is_written_reads_the_same(source: str, value: float) -> None:
    made = read_view(("CPI", "2026-12-10", "own", f"{value:.3f}", "", source, TODAY), TODAY)
    if isinstance(made, View):
        assert parsed(written(made)) == (made,)


def test_an_entry_is_added_to_the_end_whatever_stands_there(tmp_path: Path) -> None:
    path = tmp_path / FILE
    assert append(path, VIEW) == ""
    path.write_text(path.read_text() + "half a line")  # a hand was interrupted
    assert append(path, VIEW) == ""
    assert path.read_text().splitlines() == [",".join(HEADER), GOOD, "half a line", GOOD]
    fault = append(tmp_path / "gone" / FILE, VIEW)
    assert "cannot be written (No such file or directory): correct its permissions" in fault

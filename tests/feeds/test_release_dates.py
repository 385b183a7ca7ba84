"""The calendar's formats: iCalendar, the operator's table, FRED's dates."""

from datetime import date, datetime, time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.feeds.calendar import bls, files, fred_dates
from core.feeds.calendar.eastern import eastern_day, eastern_ms
from core.feeds.calendar.fred_dates import ReleaseDate
from core.feeds.calendar.ics import Entry, parse_ics
from core.feeds.calendar.kinds import kind_of
from core.feeds.calendar.table import Table, parse_table
from core.feeds.releases import Certainty
from core.feeds.sanity import dated

SAMPLES = "data/feeds/econ_calendar"


def ms(text: str, offset: str = "-05:00") -> int:
    return int(datetime.fromisoformat(text + offset).timestamp()) * 1000


def ics(*events: str, end: str = "\r\n") -> str:
    body = "".join(f"BEGIN:VEVENT\n{event.strip()}\nEND:VEVENT\n" for event in events)
    return f"BEGIN:VCALENDAR\nVERSION:2.0\n{body}END:VCALENDAR\n".replace("\n", end)


# --- iCalendar ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("begin", "expected"),
    [
        ("DTSTART;TZID=US-Eastern:20261204T083000", ms("2026-12-04 08:30")),
        ("DTSTART;TZID=America/New_York:20260710T083000", ms("2026-07-10 08:30", "-04:00")),
        ('DTSTART;X-NOTE="a:b;c";TZID="US-Eastern":20260710T083000', ms("2026-07-10 08:30", "-04:00")),
        ("DTSTART:20261204T133000Z", ms("2026-12-04 08:30")),
        ("DTSTART:20261204T083000", ms("2026-12-04 08:30")),
        ("DTSTART;VALUE=DATE:20261225", date(2026, 12, 25)),
        ("DTSTART:20261225", date(2026, 12, 25)),
        ("dtstart;tzid=US-Eastern:20261204T083000", ms("2026-12-04 08:30")),
    ],
)
def test_every_way_to_say_when(begin: str, expected: int | date) -> None:
    assert parse_ics(ics(f"UID:1\n{begin}\nSUMMARY:x")) == (Entry("x", expected),)


@pytest.mark.parametrize(
    ("begin", "why"),
    [
        ("DTSTART;TZID=Europe/Berlin:20261204T083000", "time zone"),
        ("DTSTART:20261340", "no date"),
        ("DTSTART:20261204T993000", "no date"),
        ("DTSTART:soon", "no date"),
        ("DTSTART:00010101T000000Z", "our days"),
        ("DTSTART:20261204T083000\nRRULE:FREQ=MONTHLY", "repeats"),
        ("DTEND:20261204T083000", "no begin"),
    ],
)
def test_what_cannot_be_told_is_said_and_not_guessed(begin: str, why: str) -> None:
    (entry,) = parse_ics(ics(f"UID:1\n{begin}\nSUMMARY:Consumer Price Index for May 2026"))
    assert isinstance(entry, Entry)
    assert isinstance(entry.begins, str)
    assert why in entry.begins
    refused = bls.parse(ics(f"UID:1\n{begin}\nSUMMARY:Consumer Price Index for May 2026"))
    assert isinstance(refused, str)
    assert why in refused


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_folded_lines_and_escaped_characters(end: str) -> None:
    folded = "UID:1\nDTSTART:20261225\nSUMM\n ARY:Prices\\, wages\\; and\n\t more\\nin \\\\ words"
    assert parse_ics(ics(folded, end=end)) == (
        Entry("Prices, wages; and more in \\ words", date(2026, 12, 25)),
    )


def test_of_one_uid_the_newest_counts_and_a_cancelled_one_not_at_all() -> None:
    def event(uid: str, day: str, extra: str) -> str:
        return f"UID:{uid}\nDTSTART:{day}\nSUMMARY:{uid}\n{extra}"

    text = ics(
        event("moved", "20261210", "SEQUENCE:2"),
        event("moved", "20261215", "SEQUENCE:11"),
        event("moved", "20261209", "SEQUENCE:1\nDTSTAMP:20270101T000000Z"),
        event("stamped", "20261211", "DTSTAMP:20261102T000000Z"),
        event("stamped", "20261212", "DTSTAMP:20261101T000000Z"),
        event("off", "20261213", ""),
        event("off", "20261213", "SEQUENCE:1\nSTATUS:CANCELLED"),
    )
    assert parse_ics(text) == (Entry("moved", date(2026, 12, 15)), Entry("stamped", date(2026, 12, 11)))


def test_what_is_inside_an_alarm_is_no_begin_of_its_event() -> None:
    alarm = "BEGIN:VALARM\nDTSTART:19990101\nSUMMARY:ring\nEND:VALARM"
    assert parse_ics(ics(f"UID:1\nDTSTART:20261225\nSUMMARY:x\n{alarm}")) == (Entry("x", date(2026, 12, 25)),)


@pytest.mark.parametrize(
    "text", ["", "<html><body>Access denied</body></html>", ics("UID:1")[:-20], "BEGIN:VCALENDAR\nEND:VEVENT"]
)
def test_a_page_or_half_a_file_is_no_calendar(text: str) -> None:
    assert isinstance(parse_ics(text), str)


_LINES = st.sampled_from(
    [
        "BEGIN:VCALENDAR", "END:VCALENDAR", "BEGIN:VEVENT", "END:VEVENT", "UID:1", "UID:2", "SEQUENCE:9",
        "DTSTART;TZID=US-Eastern:20261204T083000", "DTSTART;VALUE=DATE:20261301", "DTSTART:99999999T999999Z",
        "SUMMARY:Consumer Price Index for May 2026", "SUMMARY:Employment Situation", " folded\\",
        "STATUS:CANCELLED",
    ]
)  # fmt: skip


@given(st.lists(_LINES | st.text(max_size=40), max_size=40), st.sampled_from(["\n", "\r\n"]))
def test_no_text_breaks_the_parser_or_gets_a_date_out_of_our_days(lines: list[str], end: str) -> None:
    found = bls.parse(end.join(lines))
    assert isinstance(found, str) or all(dated(due.at_ms) for due in found)


# --- titles -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Consumer Price Index for November 2026", "CPI"),
        ("Employment  Situation for November 2026", "JOBS"),
        ("Gross Domestic Product", "GDP"),
        ("FOMC Press Release", "FOMC"),
        ("Employment Situation of Veterans for 2026", None),
        ("Chained Consumer Price Index", None),
        ("Gross Domestic Product by State", None),
        ("", None),
    ],
)
def test_a_release_is_known_by_its_whole_name(title: str, name: str | None) -> None:
    found = kind_of(title)
    assert (found.name if found is not None else None) == name


# --- the table ----------------------------------------------------------------------------------

GOOD = "# checked 2026-11-20\nkind,when_et,certainty\n"


def test_a_table_states_times_adds_usual_ones_and_keeps_marks() -> None:
    table = parse_table(
        "\ufeff"
        + GOOD
        + "\n# mine\ncpi,2026-12-10 08:30\nJOBS,2026-12-04,\nFOMC,2027-01-27 14:00,tentative\n",
        "releases.csv",
    )
    assert isinstance(table, Table)
    assert table.checked_ms == ms("2026-11-20 00:00")
    assert [(d.kind, d.at_ms, d.certainty) for d in table.due] == [
        ("CPI", ms("2026-12-10 08:30"), Certainty.STATED),
        ("JOBS", ms("2026-12-04 08:30"), Certainty.USUAL),
        ("FOMC", ms("2027-01-27 14:00"), Certainty.TENTATIVE),
    ]


@pytest.mark.parametrize(
    ("text", "line", "remedy"),
    [
        ("", 1, "# checked 2026"),
        ("kind,when_et\n", 1, "# checked 2026"),
        ("# checked 2026-02-30\n", 1, "# checked 2026"),
        ("# checked 2026-11-20\nCPI,2026-12-10\n", 2, "kind,when_et"),
        (GOOD + "CPI\n", 3, "CPI,2026-12-10 08:30"),
        (GOOD + "CPI,2026-12-10 08:30,,\n", 3, "CPI,2026-12-10 08:30"),
        (GOOD + "RETAIL,2026-12-10 08:30\n", 3, "CPI, JOBS, GDP, FOMC"),
        (GOOD + "CPI,10.12.2026 8:30\n", 3, "the date alone"),
        (GOOD + "CPI,2026-13-10\n", 3, "the date alone"),
        (GOOD + "CPI,2026-12-10 25:00\n", 3, "the date alone"),
        (GOOD + "CPI,2026-12-10 08:30,maybe\n", 3, "tentative"),
        (GOOD + "CPI,2026-12-10\n" * 2_000, 2_001, "leave out"),
    ],
)
def test_a_fault_of_the_table_names_file_line_and_remedy(text: str, line: int, remedy: str) -> None:
    said = parse_table(text, "releases.csv")
    assert isinstance(said, str)
    assert said.startswith(f"releases.csv:{line}: ")
    assert remedy in said


@given(st.text(max_size=200), st.booleans())
def test_no_text_breaks_the_table(text: str, headed: bool) -> None:
    said = parse_table((GOOD if headed else "") + text, "releases.csv")
    if isinstance(said, str):
        assert said.isprintable()
    else:
        assert all(dated(due.at_ms) or due.at_ms < ms("2000-01-01") for due in said.due)


@given(st.lists(st.tuples(st.dates(date(2001, 1, 1), date(2190, 1, 1)), st.times()), max_size=20))
def test_what_is_written_is_what_is_read(when: list[tuple[date, time]]) -> None:
    rows = "".join(f"GDP,{day.isoformat()} {at:%H:%M}\n" for day, at in when)
    table = parse_table(GOOD + rows, "releases.csv")
    assert isinstance(table, Table)
    assert [d.at_ms for d in table.due] == [
        eastern_ms(d, t.replace(second=0, microsecond=0)) for d, t in when
    ]


def test_what_ships_marks_the_boards_tentative_dates() -> None:
    due = {eastern_day(one.at_ms).isoformat(): one for one in files.shipped().due}
    assert due["2026-12-09"].certainty is Certainty.STATED
    assert due["2026-12-09"].at_ms == ms("2026-12-09 14:00")
    assert {one.certainty for day, one in due.items() if day > "2027"} == {Certainty.TENTATIVE}
    assert {"2027-06-09", "2027-06-16"} <= due.keys()  # listings differ: both count
    assert {one.kind for one in due.values()} == {"FOMC"}


# --- FRED ---------------------------------------------------------------------------------------


def test_freds_dates_get_the_usual_time_and_say_so() -> None:
    named = (
        ReleaseDate("Employment Situation", "2026-12-04"),
        ReleaseDate("H.15 Selected Interest Rates", "2026-12-04"),
        ReleaseDate("FOMC Press Release", "2026-12-09"),
    )
    due = fred_dates.parse(named)
    assert [(d.kind, d.at_ms, d.certainty) for d in due if not isinstance(d, str)] == [
        ("JOBS", ms("2026-12-04 08:30"), Certainty.USUAL),
        ("FOMC", ms("2026-12-09 14:00"), Certainty.USUAL),
    ]


def test_a_kind_that_fred_lists_day_by_day_tells_no_release() -> None:
    meeting = [ReleaseDate("FOMC Press Release", f"2026-12-{day:02d}") for day in range(7, 12)]
    jobs = [ReleaseDate("Employment Situation", day) for day in ("2026-12-04", "2027-01-08")]
    twice = [ReleaseDate("Consumer Price Index", day) for day in ("2027-02-08", "2027-02-10", "2027-03-10")]
    due = fred_dates.parse((*meeting, *jobs, *twice))
    assert [(d.kind, d.at_ms) for d in due if not isinstance(d, str)] == [
        *(("JOBS", ms(f"{one.date} 08:30")) for one in jobs),
        *(("CPI", eastern_ms(date.fromisoformat(one.date), time(8, 30))) for one in twice),
    ]
    assert fred_dates.parse(tuple(meeting)) == "it names no release of a known kind"


@given(
    st.lists(
        st.builds(ReleaseDate, st.just("Consumer Price Index") | st.text(), st.text() | st.dates().map(str))
    )
)
def test_no_date_of_freds_breaks_the_parser(named: list[ReleaseDate]) -> None:
    found = fred_dates.parse(tuple(named))
    assert isinstance(found, str) or all(d.certainty is Certainty.USUAL for d in found)


# --- samples ------------------------------------------------------------------------------------


def test_the_sample_schedule_is_read_whole(shared: Path) -> None:
    due = bls.parse((shared / SAMPLES / "bls_style.ics").read_bytes().decode())
    assert [(d.kind, d.at_ms) for d in due if not isinstance(d, str)] == [
        ("JOBS", ms("2026-12-04 08:30")),
        ("CPI", ms("2026-12-10 08:30")),
    ]


def test_the_shipped_meetings_are_those_of_the_sample(shared: Path) -> None:
    listed = [
        line.split(",")[1] for line in (shared / SAMPLES / "fomc_dates.csv").read_text().splitlines()[1:]
    ]
    assert set(listed) <= {eastern_day(one.at_ms).isoformat() for one in files.shipped().due}

"""The calendar's sources as they are asked, and how what they say becomes one schedule a kind."""

import random
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.feeds.budget import Budget
from core.feeds.calendar import bls, files, fred_dates, view_file
from core.feeds.calendar.merging import schedule
from core.feeds.calendar.views import FILE, read_view
from core.feeds.declaration import Declaration, Key
from core.feeds.feed import Feed, FeedHealth, FeedState, Stamp
from core.feeds.pace import Pace
from core.feeds.releases import Calendar, Certainty, Due, View, Views
from core.feeds.values import FeedValue
from core.feeds.wiring import Transports, Wiring
from core.risk.releases import ReleaseFacts, Window, standing

DAY_MS = 86_400_000
SCHEDULE = """BEGIN:VCALENDAR
BEGIN:VEVENT
UID:1
DTSTART;TZID=US-Eastern:20261210T083000
SUMMARY:Consumer Price Index for November 2026
END:VEVENT
END:VCALENDAR
"""


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text + "-05:00").timestamp()) * 1000


class Desk:
    """One source asked for a while, in virtual time, against answers a test makes."""

    def __init__(self, virtual: Any, of: Declaration, build: Callable[[Wiring], Feed], answer: Any) -> None:
        self.virtual, self.of, self.build, self.answer = virtual, of, build, answer
        self.asked: list[httpx.Request] = []
        self.got: list[FeedValue] = []
        self.directory: Path | None = None
        self.feed: Any = None

    def run(self, seconds: float = 5.0) -> FeedHealth:
        clocks = self.virtual.clocks()

        def respond(request: httpx.Request) -> httpx.Response:
            self.asked.append(request)
            return self.answer(request) if callable(self.answer) else self.answer

        health: list[FeedHealth] = []

        async def work() -> None:
            async with httpx.AsyncClient(transport=httpx.MockTransport(respond)) as http:
                shared = Transports(
                    http, None, clocks, random.Random(1), "test (me@example.com)", self.got.append,  # type: ignore[arg-type]
                    directory=self.directory,
                )  # fmt: skip
                urls = dict.fromkeys(self.of.urls, "http://publisher")
                key = Key("hidden") if self.of.key is not None else None
                self.feed = self.build(
                    Wiring(
                        of=self.of, urls=urls, every_s=self.of.every_s, budget=Budget(self.of.quotas, clocks),
                        pace=Pace(clocks), shared=shared, key=key,
                    )
                )  # fmt: skip
                try:
                    await self.feed.run()
                finally:
                    health.append(self.feed.health())

        self.virtual.run_for(seconds, work)
        return health[0]

    @property
    def calendars(self) -> list[Calendar]:
        return [value for value in self.got if isinstance(value, Calendar)]


def test_the_bureaus_schedule_holds_as_of_the_moment_it_is_served(virtual: Any) -> None:
    served = httpx.Response(200, headers={"Content-Type": "text/calendar;charset=utf-8"}, text=SCHEDULE)
    desk = Desk(virtual, bls.DECLARATION, bls.feed, served)
    health = desk.run()
    assert health.state is FeedState.OK
    (calendar,) = desk.calendars
    assert calendar.kinds == ("CPI",)
    assert calendar.stamp.event_ms == virtual.clocks().world_ms() - 5_000
    assert desk.asked[0].url.path == "/schedule/news_release/bls.ics"
    assert "@" in desk.asked[0].headers["User-Agent"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (httpx.Response(403, html="<h1>Access Denied</h1>"), "put an e-mail in feeds.user_agent"),
        (httpx.Response(200, html="<h1>Access Denied</h1>"), "text/html"),
        (httpx.Response(200, text="<h1>Access Denied</h1>"), "no iCalendar"),
        (httpx.Response(200, text="BEGIN:VCALENDAR\nEND:VCALENDAR\n"), "no release"),
    ],
)
def test_a_page_in_the_schedules_place_is_a_failure(virtual: Any, answer: httpx.Response, said: str) -> None:
    desk = Desk(virtual, bls.DECLARATION, bls.feed, answer)
    assert said in desk.run().detail
    assert desk.calendars == []


def test_freds_pages_are_read_to_the_end_with_dates_to_come(virtual: Any) -> None:
    names = ["Employment Situation", "Consumer Price Index", "Gross Domestic Product"]
    dates = ["2026-12-04", "2026-12-10", "2026-12-22"]

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.params["include_release_dates_with_no_data"] == "false":
            return httpx.Response(200, json={"count": 0, "release_dates": []})
        at = int(request.url.params["offset"]) // 1000
        listed = [{"release_id": 1, "release_name": names[at], "date": dates[at]}]
        return httpx.Response(200, json={"count": 3, "offset": at, "release_dates": listed})

    desk = Desk(virtual, fred_dates.DECLARATION, fred_dates.feed, answer)
    assert desk.run().state is FeedState.OK
    (calendar,) = desk.calendars
    assert calendar.kinds == ("CPI", "GDP", "JOBS")
    asked = desk.asked[0].url.params
    assert asked["include_release_dates_with_no_data"] == "true"
    assert asked["realtime_start"] == "2026-09-23"  # sixty days back: what is overdue may still come
    assert asked["api_key"] == "hidden"


def test_a_key_fred_does_not_know_is_told_and_not_asked_with_again(virtual: Any) -> None:
    words = "Bad Request.  The value for variable api_key is not registered."
    refusal = httpx.Response(400, json={"error_code": 400, "error_message": words})
    desk = Desk(virtual, fred_dates.DECLARATION, fred_dates.feed, refusal)
    health = desk.run(3_000)
    assert health.state is FeedState.AUTH
    assert "not registered" in health.detail
    assert len(desk.asked) == 1


def test_the_operators_file_is_followed_while_the_desk_runs(virtual: Any, tmp_path: Path) -> None:
    desk = Desk(virtual, files.OWN, files.own_feed, None)
    desk.directory = tmp_path
    own = tmp_path / files.OWN_FILE

    good = "# checked 2026-11-20\nkind,when_et\nCPI,2026-12-10 08:30\n"
    virtual.loop.call_later(90, own.write_text, good)
    virtual.loop.call_later(200, own.write_text, good + "CPI,whenever\n")
    health = desk.run(330)
    assert [(c.source, c.kinds, c.outranks) for c in desk.calendars] == [("own-calendar", ("CPI",), True)]
    assert f"{own}:4: 'whenever' is no time" in health.detail
    assert health.newest_event_ms == ms("2026-11-20 00:00"), "as old as when it was checked"


def test_a_file_that_is_taken_away_takes_its_dates_away(virtual: Any, tmp_path: Path) -> None:
    own = tmp_path / files.OWN_FILE
    own.write_text("# checked 2026-11-20\nkind,when_et\nCPI,2026-12-10 08:30\n")
    desk = Desk(virtual, files.OWN, files.own_feed, None)
    desk.directory = tmp_path
    virtual.loop.call_later(30, own.unlink)
    assert desk.run(70).state is FeedState.OFF
    assert [calendar.kinds for calendar in desk.calendars] == [("CPI",), ()]


def test_who_has_written_no_file_is_told_how_and_awaits_none(virtual: Any, tmp_path: Path) -> None:
    desk = Desk(virtual, files.OWN, files.own_feed, None)
    desk.directory = tmp_path
    own = tmp_path / files.OWN_FILE
    health = desk.run(70)
    assert (health.state, health.failures, desk.calendars) == (FeedState.OFF, 0, [])
    assert health.detail.startswith(f"You have written none. To tell of releases write {own}: '# checked ")
    tried = virtual.run(desk.feed.trial())
    assert (tried.passed, tried.text) == (False, health.detail)
    own.write_text("# checked 2026-11-20\nkind,when_et\nCPI,2026-12-10 08:30\n")
    tried = virtual.run(desk.feed.trial())
    assert (tried.passed, tried.text) == (True, "It answered for releases.csv with something new.")
    assert desk.feed.health().state is FeedState.OK


def test_the_operators_views_are_followed_and_a_bad_line_leaves_what_was_held(
    virtual: Any, tmp_path: Path
) -> None:
    desk = Desk(virtual, view_file.OWN, view_file.view_feed, None)
    desk.directory = tmp_path
    own = tmp_path / FILE
    view = read_view(("CPI", "2026-12-10", "own", "0.3", "", "me", "2026-11-20"), "2026-11-22")
    assert isinstance(view, View)
    virtual.loop.call_later(20, view_file.append, own, view)
    virtual.loop.call_later(60, lambda: own.write_text(own.read_text() + "CPI,soon,own,1,,me,2026-11-20\n"))
    health = desk.run(80)
    told = [value for value in desk.got if isinstance(value, Views)]
    assert [value.views for value in told] == [(view,)], "told once, and not taken back"
    assert f"{own}:3: 'soon' is no date of a release" in health.detail
    assert health.newest_event_ms is not None
    assert health.newest_event_ms > told[0].stamp.event_ms, "as old as the last look that could read it"
    own.unlink()
    assert "You have entered none" in virtual.run(desk.feed.trial()).text
    assert desk.feed.health().state is FeedState.OFF


def test_a_file_of_views_that_cannot_be_read_says_so(virtual: Any, tmp_path: Path) -> None:
    desk = Desk(virtual, view_file.OWN, view_file.view_feed, None)
    desk.directory = tmp_path
    (tmp_path / FILE).mkdir()
    assert "cannot be read (Is a directory)" in desk.run(10).detail


def test_what_ships_is_as_old_as_when_it_was_checked(virtual: Any) -> None:
    desk = Desk(virtual, files.FOMC, files.fomc_feed, None)
    assert desk.run().newest_event_ms == ms("2026-11-22 00:00")
    assert [(c.source, c.kinds, c.outranks) for c in desk.calendars] == [("fomc", ("FOMC",), False)]


@pytest.mark.parametrize(
    ("days", "why", "fault"),
    [
        (34, "", ""),
        (
            36,
            "what ships was checked 36 days ago, limit 35",
            "the newest calendar of FOMC (fomc) is 36 days old, limit 35",
        ),
        (400, "the last meeting that ships was due ", "no calendar knows the next FOMC"),
    ],
)
def test_what_ships_ages_out_with_a_refusal_and_what_helps(
    virtual: Any, tmp_path: Path, days: int, why: str, fault: str
) -> None:
    checked_ms = ms("2026-11-22 00:00")
    clocks = virtual.clocks(world_ms=checked_ms + days * 86_400_000 + 3_600_000)
    got: list[FeedValue] = []
    shared = Transports(None, None, clocks, random.Random(1), "test", got.append, directory=tmp_path)  # type: ignore[arg-type]
    of = files.FOMC
    feed = files.fomc_feed(Wiring(of, {}, of.every_s, Budget(of.quotas, clocks), Pace(clocks), shared))
    virtual.run_for(5, feed.run)
    health, tried = feed.health(), virtual.run(feed.trial())
    [calendar] = [value for value in got if isinstance(value, Calendar)]
    found = schedule("FOMC", [calendar], clocks.world_ms())
    assert found.fault == fault
    facts = ReleaseFacts("FOMC", None, None, came=True, fault=found.fault, window=Window(60, 120))
    if not why:
        assert (health.state, tried.passed) == (FeedState.OK, True)
        return
    assert standing(facts, clocks.world_ms()).why == fault, (
        "entries of what it moves are refused in these words"
    )
    assert health.state is FeedState.STALE and health.detail.startswith(why)
    assert health.detail.endswith(f"write its dates into {tmp_path / files.OWN_FILE}")
    assert not tried.passed and "update pmconsole" in tried.text


def test_a_file_checked_in_the_future_is_refused(virtual: Any, tmp_path: Path) -> None:
    (tmp_path / files.OWN_FILE).write_text("# checked 2027-01-01\nkind,when_et\nCPI,2026-12-10\n")
    desk = Desk(virtual, files.OWN, files.own_feed, None)
    desk.directory = tmp_path
    assert "releases.csv:1: it cannot have been checked then" in desk.run().detail
    assert desk.calendars == []


# --- one schedule -------------------------------------------------------------------------------

NOW = ms("2026-11-29 12:00")
LIMIT_S = 35 * 86_400


def calendar(
    source: str,
    *due: tuple[str, Certainty],
    days_old: int = 0,
    outranks: bool = False,
    kind: str = "CPI",
) -> Calendar:
    dues = tuple(Due(kind, ms(when), certainty, source) for when, certainty in due)
    return Calendar(source, (kind,), dues, Stamp(NOW - days_old * DAY_MS, 0, 0), LIMIT_S, outranks)


STATED, USUAL, TENTATIVE = Certainty.STATED, Certainty.USUAL, Certainty.TENTATIVE


@pytest.mark.parametrize(
    ("calendars", "expected"),
    [
        # What a publisher states replaces a usual time and a tentative date near it, whoever came first.
        (
            [
                calendar("FRED", ("2026-12-10 08:30", USUAL)),
                calendar("BLS", ("2026-12-10 10:00", STATED)),
                calendar("X", ("2026-12-11 08:30", TENTATIVE)),
            ],
            [("2026-12-10 10:00", "BLS")],
        ),
        # The operator outranks whoever states, also with a date alone.
        (
            [
                calendar("BLS", ("2026-12-10 08:30", STATED)),
                calendar("own", ("2026-12-15 08:30", USUAL), outranks=True),
            ],
            [("2026-12-15 08:30", "own")],
        ),
        # Two that are equally good and differ both count.
        (
            [
                calendar("A", ("2026-12-10 08:30", STATED)),
                calendar("B", ("2026-12-11 08:30", STATED), ("2026-12-10 08:30", STATED)),
            ],
            [("2026-12-10 08:30", "A"), ("2026-12-11 08:30", "B")],
        ),
        # Dates of one calendar never stand for each other; what is weeks away is another release.
        (
            [
                calendar("A", ("2026-12-10 08:30", STATED), ("2026-12-12 08:30", TENTATIVE)),
                calendar("B", ("2027-01-13 08:30", USUAL)),
            ],
            [("2026-12-10 08:30", "A"), ("2026-12-12 08:30", "A"), ("2027-01-13 08:30", "B")],
        ),
        # An old calendar gives way to a fresh one, however sure it was.
        (
            [
                calendar("old", ("2026-12-10 08:30", STATED), days_old=40),
                calendar("new", ("2026-12-14 08:30", USUAL)),
            ],
            [("2026-12-14 08:30", "new")],
        ),
    ],
)
def test_how_calendars_become_one(calendars: list[Calendar], expected: list[tuple[str, str]]) -> None:
    for given in (calendars, calendars[::-1]):
        found = schedule("CPI", given, NOW)
        assert {d.at_ms for d in found.due} == {ms(when) for when, _ in expected}
        assert found.fault == ""
    assert [d.source for d in schedule("CPI", calendars, NOW).due] == [source for _, source in expected]


def test_a_kind_without_a_coming_date_or_with_old_ones_only_says_so() -> None:
    assert schedule("CPI", [], NOW).fault == "no calendar knows the next CPI"
    past = calendar("BLS", ("2026-11-13 08:30", STATED))
    assert schedule("CPI", [past], NOW).fault == "no calendar knows the next CPI"
    ahead = ("2026-12-10 08:30", STATED)
    old = calendar("own", ahead, days_old=36)
    assert "own) is 36 days old, limit 35" in schedule("CPI", [old], NOW).fault
    assert [d.at_ms for d in schedule("CPI", [old], NOW).due] == [ms(ahead[0])]  # its window is still kept
    assert schedule("CPI", [calendar("own", ahead, days_old=35)], NOW).fault == ""
    assert schedule("CPI", [old, calendar("BLS", ahead)], NOW).fault == ""
    # A fresh calendar of past dates vouches for nothing that an old one promises.
    assert "36 days old" in schedule("CPI", [old, past], NOW).fault

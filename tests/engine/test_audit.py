"""Settlements against the climate report that stands proxy for their source."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.clock import Clocks, WorldClock
from core.domain.market import (
    CENT_GRID,
    Extreme,
    FeeSchedule,
    FeeType,
    Market,
    Strike,
    StrikeKind,
    Venue,
    settled_f,
)
from core.engine.alarms import Alarms
from core.engine.audit import Audit
from core.engine.record import Scribe
from core.engine.state import AlarmLevel, DeskState
from core.feeds.feed import Stamp
from core.feeds.values import ClimateReport
from core.journal.events import Event, Kind
from core.risk.limits import DEFAULTS, LiveLimits

DAY = "2026-11-23"
EVENT = "KXHIGHNY-26NOV23"


class Log:
    def __init__(self) -> None:
        self.rows: list[Event] = []

    def append(self, event: Event) -> int:
        self.rows.append(event)
        return len(self.rows)


class Still:
    def wall_ms(self) -> int:
        return 1_795_500_000_000

    def mono_ns(self) -> int:
        return 0


class Bench:
    def __init__(self) -> None:
        self.log = Log()
        clocks = Clocks(Still(), WorldClock(0, 0, 1.0))
        self.state = DeskState("demo", "w", LiveLimits.at_ceilings(DEFAULTS))
        scribe = Scribe(self.log)  # type: ignore[arg-type]
        self.audit = Audit(scribe, Alarms(self.state, scribe, clocks))

    @property
    def alarms(self) -> list[tuple[AlarmLevel, str]]:
        return [(alarm.level, alarm.what) for alarm in self.state.alarms.values()]

    @property
    def kinds(self) -> list[Kind]:
        return [row.kind for row in self.log.rows]


def market(value: str, extreme: Extreme = Extreme.HIGH, authority: str = "The Weather Company") -> Market:
    return Market(
        Venue.KALSHI, f"{EVENT}-B48.5", EVENT, "KXHIGHNY", "NYC hi Nov23 48-49", "",
        Strike(StrikeKind.BETWEEN, 48, 49), CENT_GRID, FeeSchedule(FeeType.QUADRATIC), 0, 0,
        expiration_value=value, station="KNYC", climate_day=DAY, extreme=extreme, authority=authority,
    )  # fmt: skip


def report(
    max_f: int | None, min_f: int | None = 41, *, final: bool = True, at_ms: int = 10
) -> ClimateReport:
    return ClimateReport("KNYC", DAY, final, False, max_f, min_f, Stamp(at_ms, 0, 0))


def test_equal_values_are_counted_and_call_nobody() -> None:
    bench = Bench()
    bench.audit.report(report(49))
    for _ in range(3):
        bench.audit.settled(market("49.00"))
    assert (bench.audit.equal, bench.audit.judged, bench.alarms) == (1, 1, [])
    assert bench.kinds == [Kind.FEED]


@pytest.mark.parametrize("report_first", [True, False])
def test_the_first_mismatch_calls_somebody_whichever_comes_first(*, report_first: bool) -> None:
    bench = Bench()
    if report_first:
        bench.audit.report(report(48))
    bench.audit.settled(market("49.00"))
    if not report_first:
        bench.audit.report(report(48))
    [(level, what)] = bench.alarms
    assert level is AlarmLevel.ACT
    assert what == f"{EVENT} settled on 49F, the final climate report of KNYC for {DAY} says 48F"
    assert (bench.audit.equal, bench.audit.judged) == (0, 1)


def test_a_settlement_that_is_amended_is_compared_again() -> None:
    bench = Bench()
    bench.audit.report(report(49))
    for value in ("49.00", "50.00", "50.00", "49"):
        bench.audit.settled(market(value))
    assert (bench.audit.equal, bench.audit.judged) == (1, 2)
    assert [level for level, _ in bench.alarms] == [AlarmLevel.ACT]


def test_a_low_is_compared_with_the_minimum() -> None:
    bench = Bench()
    bench.audit.report(report(49, 41))
    bench.audit.settled(market("41", Extreme.LOW))
    assert bench.audit.equal == 1


def test_preliminary_reports_and_finals_without_a_value_do_not_count() -> None:
    bench = Bench()
    bench.audit.report(report(47, final=False))
    bench.audit.report(report(None, at_ms=20))
    bench.audit.settled(market("49"))
    assert bench.audit.judged == 0
    bench.audit.report(report(49, at_ms=30))
    assert (bench.audit.equal, bench.alarms) == (1, [])


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_correction_after_the_first_final_changes_nothing(order: tuple[int, ...]) -> None:
    bench = Bench()
    finals = [report(None, at_ms=20), report(49, at_ms=30), report(50, at_ms=40)]
    for index in order:
        bench.audit.report(finals[index])
    bench.audit.settled(market("49"))
    assert (bench.audit.equal, bench.audit.judged) == (1, 1)


def test_prose_is_read_by_its_leading_number_and_prose_alone_is_told() -> None:
    bench = Bench()
    bench.audit.report(report(84))
    bench.audit.settled(market("84. Although the Daily Climate Report was not finalized, it counts."))
    assert bench.audit.equal == 1
    other = Bench()
    other.audit.settled(market("as decided by the exchange"))
    assert [level for level, _ in other.alarms] == [AlarmLevel.CHECK]


def test_a_market_that_settles_on_the_report_itself_is_not_audited() -> None:
    bench = Bench()
    bench.audit.report(report(48))
    bench.audit.settled(market("49", authority=""))
    assert bench.audit.judged == 0


@pytest.mark.parametrize(
    ("text", "value"),
    [("84", 84.0), (" -3.00", -3.0), ("84. Although", 84.0), ("", None), ("about 84", None), ("1e9", 1.0),
     ("8412345", None)],
)  # fmt: skip
def test_leading_numbers(text: str, value: float | None) -> None:
    assert settled_f(text) == value


@given(st.text(max_size=60))
def test_any_text_is_a_plausible_number_or_none(text: str) -> None:
    found = settled_f(text)
    assert found is None or -1000 < found < 1000

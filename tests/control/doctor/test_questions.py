"""Each question of the examination: what is fine, what deserves a look, what stands against real money."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.config.drill import Drill
from core.config.paths import Profile
from core.control.coefficients import Ending, Loaded
from core.control.doctor import questions as q
from core.control.doctor.findings import Finding, Grade, Report, sentences
from core.control.doctor.report import as_data, lines
from core.control.keys import KeyState, Role
from core.control.outside.record import Record
from core.control.outside.webhook import Webhook
from core.domain.units import Money
from core.journal.device import Commits
from core.models.weather.coefficients import FORMAT, Coefficients, Learned
from core.venues.exchange import Cash, ExchangeState, Maintenance
from core.venues.kalshi.standing import KeyGrant, Keys, Tier
from core.venues.venue import Incomplete

NOW = 1_795_377_600_000
DAY = 86_400_000
LOST = Incomplete("x", "HTTP 503")
RESERVE = Money(20_000_000)
LIVE = Profile("live", Path("live"))


def money(dollars: int) -> Money:
    return Money(dollars * 1_000_000)


def keys(*scopes: str, subaccount: int | None = None, until_ms: int | None = NOW + 90 * DAY) -> Keys:
    return Keys({"k1": KeyGrant(scopes, subaccount)}, until_ms)


def drilled(age_days: float, *, code: str = "1", passed: bool = True) -> Drill:
    return Drill(NOW - int(age_days * DAY), code, passed, "two orders lived on")


def terminal(columns: int | None = 80, rows: int | None = 24, *, utf8: bool = True) -> Finding:
    return q.terminal(q.Terminal("tmux-256color", columns, rows, utf8, 256))


OPEN = ExchangeState(True, True)
CASES: list[tuple[str, Finding, Grade]] = [
    ("clock in step", q.clock(-250), Grade.OK),
    ("clock drifts", q.clock(251), Grade.WARN),
    ("clock at its limit", q.clock(-500), Grade.WARN),
    ("clock off", q.clock(501), Grade.BLOCK),
    ("clock unknown", q.clock(None), Grade.BLOCK),
    ("disk fast", q.sync(Commits(100, 2_000, 9_000)), Grade.OK),
    ("disk slow", q.sync(Commits(100, 2_000, 251_000)), Grade.BLOCK),
    ("disk pretends", q.sync(Commits(100, 10, 12)), Grade.WARN),
    ("local disk", q.file_system("ext4"), Grade.OK),
    ("network disk", q.file_system("nfs4"), Grade.BLOCK),
    ("disk in memory", q.file_system("tmpfs"), Grade.WARN),
    ("disk refuses", q.sync(None), Grade.BLOCK),
    ("sqlite old", q.sqlite((3, 46, 1)), Grade.WARN),
    ("sqlite mended", q.sqlite((3, 51, 3)), Grade.OK),
    ("no journal", q.chain("", "", 0), Grade.OK),
    ("journal damaged", q.chain("j.db", "row 7 was changed", 9), Grade.BLOCK),
    ("room", q.disk(2_048), Grade.OK),
    ("little room", q.disk(2_047), Grade.WARN),
    ("least room", q.disk(512), Grade.WARN),
    ("no room", q.disk(511), Grade.BLOCK),
    ("room unknown", q.disk(None), Grade.BLOCK),
    ("terminal", terminal(), Grade.OK),
    ("terminal narrow", terminal(79), Grade.WARN),
    ("terminal low", terminal(80, 23), Grade.WARN),
    ("terminal ascii", terminal(utf8=False), Grade.WARN),
    ("no terminal", terminal(None, None), Grade.WARN),
    ("never drilled", q.drill(None, NOW, "1"), Grade.BLOCK),
    ("drilled", q.drill(drilled(7), NOW, "1"), Grade.OK),
    ("drill due", q.drill(drilled(7.1), NOW, "1"), Grade.WARN),
    ("drill stale", q.drill(drilled(30.1), NOW, "1"), Grade.BLOCK),
    ("drill of the future", q.drill(drilled(-1), NOW, "1"), Grade.BLOCK),
    ("drill of another program", q.drill(drilled(1, code="0"), NOW, "1"), Grade.BLOCK),
    ("drill failed", q.drill(drilled(1, passed=False), NOW, "1"), Grade.BLOCK),
    ("watched", q.watchdog("", LIVE), Grade.OK),
    ("unwatched", q.watchdog(None, LIVE), Grade.WARN),
    ("watchdog unfit", q.watchdog("its key was refused", LIVE), Grade.WARN),
    ("key", q.key(KeyState(Role.TRADING, Path("k"), "k1", "ab" * 32)), Grade.OK),
    ("key missing", q.key(KeyState(Role.WATCHDOG, Path("k"), problem="no key: add one")), Grade.BLOCK),
    ("may trade", q.grant("trading key", "k1", 0, keys("read", "write::trade")), Grade.OK),
    ("locked", q.grant("trading key", "k1", 3, keys("read", "write::trade", subaccount=3)), Grade.OK),
    ("locked away", q.grant("trading key", "k1", 0, keys("read", "write::trade", subaccount=3)), Grade.BLOCK),
    ("may move money", q.grant("trading key", "k1", 0, keys("read", "write")), Grade.WARN),
    ("may not trade", q.grant("trading key", "k1", 0, keys("read", "write::transfer")), Grade.BLOCK),
    ("may not read", q.grant("trading key", "k1", 0, keys("write::trade")), Grade.BLOCK),
    ("unlisted", q.grant("trading key", "k2", 0, keys("read", "write::trade")), Grade.BLOCK),
    ("guards elsewhere", q.reach(0, 7), Grade.BLOCK),
    ("guards the same", q.reach(7, 7), Grade.OK),
    ("grant unread", q.grant("trading key", "k1", 0, LOST), Grade.BLOCK),
    ("limits set", q.limits(()), Grade.OK),
    ("limits missing", q.limits(("day_loss_max",)), Grade.BLOCK),
    ("tier", q.rates(Tier("basic", 200, 100, 100)), Grade.OK),
    ("tier unread", q.rates(LOST), Grade.BLOCK),
    ("attested", q.region(keys(), NOW), Grade.OK),
    ("attestation ends", q.region(keys(until_ms=NOW + DAY), NOW), Grade.WARN),
    ("attestation lapsed", q.region(keys(until_ms=NOW), NOW), Grade.WARN),
    ("never attested", q.region(keys(until_ms=None), NOW), Grade.WARN),
    ("region unread", q.region(LOST, NOW), Grade.BLOCK),
    ("funded", q.cash(Cash(money(50), {0: money(25), 2: money(25)}), (0, 2), RESERVE), Grade.OK),
    ("one shard empty", q.cash(Cash(money(50), {0: money(50)}), (0, 2), RESERVE), Grade.WARN),
    ("only elsewhere", q.cash(Cash(money(50), {1: money(50)}), (0,), RESERVE), Grade.BLOCK),
    ("only the reserve", q.cash(Cash(money(20)), (0,), RESERVE), Grade.BLOCK),
    ("cash unread", q.cash(LOST, (0,), RESERVE), Grade.BLOCK),
    ("venue trades", q.venue(OPEN, (), NOW), Grade.OK),
    ("maintenance near", q.venue(OPEN, (Maintenance(NOW + 3_600_000, NOW + 2 * DAY),), NOW), Grade.WARN),
    ("maintenance far", q.venue(OPEN, (Maintenance(NOW + 3_600_001, NOW + 2 * DAY),), NOW), Grade.OK),
    ("venue paused", q.venue(ExchangeState(True, False), (), NOW), Grade.BLOCK),
    ("venue down", q.venue(ExchangeState(False, False, "05:00"), (), NOW), Grade.BLOCK),
    ("venue unread", q.venue(LOST, (), NOW), Grade.BLOCK),
]

ENDING = Ending(("KNYC high",), "2026-11-09", "2026-11-23", 1)
LEARNED = Loaded(Learned(Coefficients(FORMAT, "real", 0, "2026-11-21T00:00:00+00:00", "d" * 64, ())))
CASES += [
    ("models known", q.weather_models(LEARNED, None, LIVE), Grade.OK),
    ("models ending", q.weather_models(LEARNED, ENDING, LIVE), Grade.WARN),
    ("nothing fitted", q.weather_models(Loaded(None), None, LIVE), Grade.WARN),
    ("file damaged", q.weather_models(Loaded(None, "it is not used."), None, LIVE), Grade.WARN),
]


@pytest.mark.parametrize(("name", "finding", "grade"), CASES, ids=[case[0] for case in CASES])
def test_each_answer_is_graded(name: str, finding: Finding, grade: Grade) -> None:
    assert finding.grade is grade, finding
    assert bool(finding.remedy) == (grade is not Grade.OK)


def report(*findings: Finding, live: tuple[str, ...] = ()) -> Report:
    return Report("live", "production", "0.1.0", NOW, findings, live)


def test_the_report_ends_with_what_blocks_live() -> None:
    found = (q.clock(3), q.drill(None, NOW, "1"))
    text = list(lines(report(*found, live=sentences(found))))
    assert text[0] == "profile live at real exchanges, REAL MONEY; pmconsole 0.1.0; 2026-11-22 20:00:00Z"
    assert text[-2:] == [
        "What still blocks live:",
        "  drill: the stop ladder was never drilled here; run pmconsole drill",
    ]
    assert list(lines(report(q.clock(3))))[-1] == "Nothing blocks live."


def test_the_report_is_wrapped_to_a_terminal_and_whole_without_one() -> None:
    long = q.key(KeyState(Role.TRADING, Path("k"), problem=f"no key in {'/deep' * 20}: {'add one ' * 12}"))
    found = report(q.clock(3), long, live=sentences((long,)))
    folder = "/deep" * 20
    assert all(len(line) <= 60 or folder in line for line in lines(found, 60))
    wrapped, whole = ["".join("".join(lines(found, width)).split()) for width in (60, None)]
    assert wrapped == whole
    assert any(line.endswith(folder) for line in lines(found))


def test_data_says_the_same() -> None:
    found = (q.clock(3), q.disk(1))
    data: dict[str, Any] = as_data(report(*found, live=sentences(found)))
    assert [f["grade"] for f in data["findings"]] == ["ok", "block"]
    assert data["blocks"] == data["blocks_live"] == ["disk: 1 MB free; make room: entries stop under 512 MB"]
    assert data["at"] == "2026-11-22T20:00:00Z"


def test_who_is_told_elsewhere_and_when_that_last_worked() -> None:
    hook, there = Webhook("https://hooks.example.com/planted"), LIVE
    demo = Profile("demo", Path("demo"))

    def asked(record: Record = Record(), webhook: Webhook | None = hook, unusable: str = "") -> Finding:
        return q.outside(webhook, unusable, record, NOW, there)

    assert asked(Record(NOW - DAY)).grade is Grade.OK
    found = [
        asked(webhook=None),
        asked(webhook=None, unusable="webhook file w does not exist: put it there"),
        asked(),
        asked(Record(fault="HTTP 500")),
        asked(Record(NOW - DAY, fault="HTTP 404")),
        asked(Record(NOW - 2 * DAY)),
    ]
    assert {one.grade for one in found} == {Grade.WARN}
    said = [one.said for one in found]
    assert said[1] == "nobody is told: webhook file w does not exist" and found[1].remedy == "put it there"
    assert said[3] == "no message ever arrived: HTTP 500"
    assert said[4] == "the last message arrived 2026-11-21 20:00Z: HTTP 404"
    assert found[5].remedy == "run pmconsole alarms test --profile live"
    assert q.outside(None, "", Record(), NOW, demo).grade is Grade.OK, "a desk that plays needs nobody"
    assert "planted" not in repr(found)

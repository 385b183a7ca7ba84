"""An update asks for what is missing, writes it down answer by answer, and says what it could not use."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from core.domain.clock import Clocks, WorldClock
from core.domain.market import Extreme
from core.feeds.budget import Budget
from core.feeds.declaration import Per, Quota
from core.feeds.fetch import Fetcher
from core.feeds.stations import Station, stations
from core.training.archive import Archive, Key
from core.training.asks import LEADS, Provider
from core.training.previous_runs import MODELS
from core.training.update import Outcome, Progress, Update, plan, quota_share
from tests.training.served import Past
from tests.virtual import START_WALL_MS, VirtualClock, run_virtual

NYC = stations()["KNYC"]
NOW_MS = int(datetime(2026, 11, 20, 18, tzinfo=UTC).timestamp()) * 1000
"""The 19th is over for every source."""
Change = Callable[[str, Any], Any]


def updated(
    path: Path,
    days: int,
    past: Past | None = None,
    quotas: Sequence[Quota] = (),
    told: list[Progress] | None = None,
    station: Station = NYC,
) -> Outcome:
    """One update of New York within ``quotas`` for each provider."""
    answers = past or Past()

    async def run(loop: Any) -> Outcome:
        clocks = Clocks(VirtualClock(loop), WorldClock(START_WALL_MS, NOW_MS))
        archive = Archive(path, "KNYC")
        async with httpx.AsyncClient(transport=httpx.MockTransport(answers)) as http:
            fetchers = {
                provider: Fetcher(
                    http, "http://127.0.0.1", clocks, "test", "*/*", kinds=("json", "csv"),
                    budget=Budget(quotas, clocks),
                )
                for provider in Provider
            }  # fmt: skip
            asks = plan(archive, station, days, clocks.world_ms())
            tell = told.append if told is not None else (lambda _: None)
            return await Update({"KNYC": archive}, fetchers, asyncio.sleep, tell).run(asks)

    return run_virtual(run)


def test_every_day_gets_its_forecasts_at_every_lead_and_what_it_became(tmp_path: Path) -> None:
    path, past = tmp_path / "KNYC.csv", Past()
    outcome = updated(path, 60, past)
    assert (outcome.left, outcome.refused, outcome.given_up) == (0, (), {})
    figures = Archive(path, "KNYC").figures
    assert len(figures) == outcome.rows
    for model in MODELS:
        for lead in LEADS:
            assert figures[Key("2026-11-19", Extreme.HIGH, lead, model)] == 63.0
            assert figures[Key("2026-09-21", Extreme.LOW, lead, model)] == 40.0
    assert figures[Key("2026-11-19", Extreme.HIGH, 2, "NBS")] == 62.0
    assert figures[Key("2026-11-19", Extreme.LOW, 1, "NBS")] == 41.0
    assert figures[Key("2026-11-19", Extreme.HIGH, None, "kalshi")] == 63.0
    assert figures[Key("2026-11-19", Extreme.LOW, None, "kalshi")] == 40.0, "a number with words behind it"
    assert figures[Key("2026-09-25", Extreme.LOW, None, "cli")] == 40.0, "before there were markets"
    assert Key("2026-11-19", Extreme.HIGH, None, "cli") not in figures, "a settlement may still come"
    assert not any(key.day > "2026-11-19" for key in figures), "a day that is not over"


def test_what_is_held_is_not_asked_again_and_a_longer_history_asks_for_the_rest(tmp_path: Path) -> None:
    path, past = tmp_path / "KNYC.csv", Past()
    updated(path, 30)
    before = path.read_bytes()
    again = updated(path, 30, past)
    assert (again.rows, past.count("/v1/forecast"), past.count("/markets")) == (0, 0, 0)
    updated(path, 45, past)
    assert path.read_bytes().startswith(before), "only added to"
    asked = [r.url.params for r in past.asked if r.url.path == "/v1/forecast"]
    assert {(q["start_date"], q["end_date"]) for q in asked} == {("2026-10-06", "2026-10-20")}


def swap(path: str, **fields: Any) -> Change:
    return lambda asked, body: {**body, **fields} if asked == path else body


def in_hours(change: Callable[[dict[str, Any]], None]) -> Change:
    def made(path: str, body: Any) -> Any:
        if path == "/v1/forecast":
            change(body["hourly"])
        return body

    return made


def twice(hourly: dict[str, Any]) -> None:
    hourly["time"][5] = hourly["time"][4]


def absurd(hourly: dict[str, Any]) -> None:
    hourly["temperature_2m"][7] = 451.0


def nothing(hourly: dict[str, Any]) -> None:
    for name in hourly:
        hourly[name] = hourly[name] if name == "time" else [None] * len(hourly[name])


def in_disagreement(path: str, body: Any) -> Any:
    """One of an event's markets settled on another value than the rest."""
    if path != "/markets":
        return body
    first, *rest = body["markets"]
    return {"markets": [first | {"expiration_value": "99"}, *rest]}


def in_table(before: str, after: str) -> Change:
    return lambda _, body: body.replace(before, after) if isinstance(body, str) else body


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (swap("/v1/forecast", hourly_units={"temperature_2m": "°C"}), "not in degrees Fahrenheit"),
        (swap("/v1/forecast", latitude=41.98, longitude=-87.9), "answer is of 41.98, -87.9"),
        (swap("/v1/forecast", utc_offset_seconds=0), "another time zone"),
        (in_hours(twice), "tells an hour twice"),
        (in_hours(absurd), "outside what stations see"),
        (in_hours(nothing), "no temperatures"),
        (in_table("KNYC", "KLGA"), "another station"),
        (in_table("txn", "mxt"), "no column txn"),
        (in_table("2026-11-18 19:00,2026-11-19 12:00", "2026-11-18 19:00,2026-11-19 00:00"), "twice"),
        (lambda path, body: '{"hourly": NaN}' if path == "/v1/forecast" else body, "does not parse"),
        (in_disagreement, "settled on 99 and on "),
    ],
)  # fmt: skip
def test_an_answer_that_cannot_be_used_is_refused_as_a_whole_and_told(
    tmp_path: Path, change: Change, fault: str
) -> None:
    past, told = Past(), list[Progress]()
    past.change = change
    outcome = updated(tmp_path / "KNYC.csv", 20, past, told=told)
    assert outcome.left == len(outcome.refused) > 0
    assert all(fault in sentence and sentence.startswith("KNYC ") for sentence in outcome.refused)
    assert {at.said for at in told if at.said} == set(outcome.refused)
    bad = {sentence.split()[1] for sentence in outcome.refused}
    figures = Archive(tmp_path / "KNYC.csv", "KNYC").figures
    assert not any(key.source in bad for key in figures) and figures, "the rest is written down"


def test_missing_hours_are_a_gap_that_is_written_down_and_not_asked_again(tmp_path: Path) -> None:
    def hole(hourly: dict[str, Any]) -> None:
        hourly["temperature_2m_previous_day1"] = [
            None if "2026-11-15T09" in at else f
            for at, f in zip(hourly["time"], hourly["temperature_2m_previous_day1"], strict=True)
        ]

    past, path = Past(), tmp_path / "KNYC.csv"
    past.change = in_hours(hole)
    updated(path, 20, past)
    figures = Archive(path, "KNYC").figures
    gap = Key("2026-11-15", Extreme.HIGH, 1, MODELS[0])
    assert gap in figures and figures[gap] is None
    assert figures[Key("2026-11-15", Extreme.HIGH, 2, MODELS[0])] == 63.0
    again = Past()
    assert updated(path, 20, again).rows == 0 and again.count("/v1/forecast") == 0


def test_a_market_whose_rules_name_another_station_is_no_outcome(tmp_path: Path) -> None:
    past = Past()
    past.change = lambda path, body: (
        {"markets": [row | {"rules_primary": row["rules_primary"].replace("CLINYC", "CLILGA")} for row in
                     body["markets"]]}
        if path == "/markets" else body
    )  # fmt: skip
    updated(tmp_path / "KNYC.csv", 30, past)
    figures = Archive(tmp_path / "KNYC.csv", "KNYC").figures
    assert not any(key.source == "kalshi" for key in figures)
    assert figures[Key("2026-11-01", Extreme.HIGH, None, "cli")] == 63.0


def test_where_no_market_settles_the_report_counts_at_once(tmp_path: Path) -> None:
    nowhere = msgspec.structs.replace(NYC, high_series="", low_series="")
    past = Past()
    updated(tmp_path / "KNYC.csv", 5, past, station=nowhere)
    figures = Archive(tmp_path / "KNYC.csv", "KNYC").figures
    assert figures[Key("2026-11-19", Extreme.HIGH, None, "cli")] == 63.0
    assert past.count("/markets") == 0


def test_a_report_issued_within_its_day_is_none(tmp_path: Path) -> None:
    past = Past()
    past.change = lambda path, body: (
        {"results": [row | {"product": f"{row['valid'].replace('-', '')}2130-"} for row in body["results"]]}
        if path == "/json/cli.py" else body
    )  # fmt: skip
    updated(tmp_path / "KNYC.csv", 60, past)
    assert not any(key.source == "cli" for key in Archive(tmp_path / "KNYC.csv", "KNYC").figures)


def test_a_short_quota_is_waited_for_and_a_long_one_leaves_the_rest_for_later(tmp_path: Path) -> None:
    path, told = tmp_path / "KNYC.csv", list[Progress]()
    outcome = updated(path, 20, quotas=[Quota(4, Per.MINUTE)], told=told)
    assert outcome.left == 0 and any("the quota is spent: goes on in" in at.said for at in told)
    other, past = tmp_path / "day.csv", Past()
    outcome = updated(other, 20, past, quotas=[Quota(3, Per.DAY)])
    assert past.count("/v1/forecast") == 3 and outcome.left == 3
    assert outcome.given_up == dict.fromkeys(("open-meteo-past", "kalshi"), "the quota is spent")
    assert updated(other, 20).left == 0, "another day"


def test_a_provider_that_fails_is_tried_again_a_few_times_and_the_others_go_on(tmp_path: Path) -> None:
    past, path = Past(), tmp_path / "KNYC.csv"
    answers = iter([httpx.Response(503), httpx.Response(429, headers={"Retry-After": "5"})])
    past.change = lambda asked, body: next(answers, body) if asked == "/v1/forecast" else body
    assert updated(path, 20, past).left == 0
    past = Past()
    past.change = lambda asked, body: httpx.Response(503) if asked == "/v1/forecast" else body
    outcome = updated(tmp_path / "other.csv", 20, past)
    assert past.count("/v1/forecast") == 4 and outcome.left == len(MODELS)
    assert outcome.given_up == {"open-meteo-past": "HTTP 503"}
    assert any(key.source == "NBS" for key in Archive(tmp_path / "other.csv", "KNYC").figures)


def test_an_update_leaves_a_share_of_every_quota_to_the_engine() -> None:
    share = quota_share([Quota(600, Per.MINUTE), Quota(10_000, Per.DAY), Quota(500, Per.MONTH, "credits")])
    assert share == (Quota(300, Per.MINUTE), Quota(7_500, Per.DAY), Quota(375, Per.MONTH, "credits"))

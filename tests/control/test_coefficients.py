"""A profile's coefficients: whole or not at all, of its own world, taken up while the engine runs."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.resources
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from core.config import paths
from core.config.paths import Environment
from core.config.secrets import write_private
from core.control import coefficients, models_alone
from core.control.coefficients import Loaded, ending, load, watch_coefficients
from core.control.site import World
from core.domain.market import Extreme
from core.engine.state import AlarmLevel
from core.feeds.stations import climate_day_bounds, stations
from core.models.weather.coefficients import Fit, Learned, decode
from core.training import fitting
from core.training.archive import Archive, Key

from .alongside import Alarms, until

REAL = World(environment=Environment.PRODUCTION)
SIM = World(environment=Environment.SIM, world_id="w", calendar_offset_days=673)
PACKAGED = (importlib.resources.files("core.models.weather") / "data" / "coefficients-sim.json").read_bytes()


SERIES = ("KXHIGHNY", "KXLOWTNYC", "KXINX")
NYC = stations()["KNYC"]
DAY_MS = 86_400_000
ENDS = "2026-12-07"
"""Of the packaged coefficients at lead 0: fourteen days after the newest outcome they rest on."""
BEGAN_MS = climate_day_bounds(NYC, "2026-11-23")[0]


def place_of(name: str, home: Path) -> paths.Profile:
    place = paths.Profile(name, home / name)
    paths.prepare(place)
    return place


def test_the_demo_comes_with_coefficients_of_its_own_stations(tmp_path: Path) -> None:
    found = load(place_of("demo", tmp_path), SIM)
    assert found.fault == "" and found.learned is not None and found.learned.held.world == "sim"
    for icao in ("KNYC", "KMDW", "KMIA", "KAUS", "KDEN"):
        for lead in (0, 1, 2):
            for extreme in Extreme:
                assert found.learned.fit(icao, lead, extreme) is not None
    fit = found.learned.fit("KNYC", 1, Extreme.HIGH)
    assert fit is not None and found.learned.last(fit) >= "2026-11-20", "days of the world that asks"
    default, raw = ({one.model: one.crps_f for one in fit.scores}[of] for of in ("default", "article-normal"))
    assert default < raw


def test_what_was_learned_in_sim_is_refused_outside_of_it_and_the_other_way(tmp_path: Path) -> None:
    place = place_of("live", tmp_path)
    assert load(place, REAL) == Loaded(None), "nothing is fitted yet, which is no fault"
    place.coefficients.write_bytes(PACKAGED)
    found = load(place, REAL)
    assert found.learned is None
    assert found.fault == (
        f"{place.coefficients} is not used: it was fitted in a sim world and this desk's is real: "
        "make it anew with pmconsole models fit --profile live."
    )


def test_a_damaged_file_is_one_sentence_and_no_coefficients(tmp_path: Path) -> None:
    place = place_of("demo", tmp_path)
    for raw in (PACKAGED[:-40], b"", b"\xff\xfe", PACKAGED.replace(b'"days":38', b'"days":39', 1)):
        place.coefficients.write_bytes(raw)
        found = load(place, SIM)
        assert found.learned is None
        assert found.fault.startswith(f"{place.coefficients} is not used: ")
        assert found.fault.endswith("make it anew with pmconsole models fit.")


def test_a_write_that_fails_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "coefficients.json"
    write_private(path, b"one")
    assert path.read_bytes() == b"one" and path.stat().st_mode & 0o777 == 0o600

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_private(path, b"another")
    assert path.read_bytes() == b"one"


class Desk:
    """As much of an engine as it looks at."""

    def __init__(self) -> None:
        self.alarms = Alarms()
        self.heard: list[Learned | None] = []
        self.now_ms, self.looks = BEGAN_MS, 0
        self.desk = SimpleNamespace(
            alarms=self.alarms,
            pricing=SimpleNamespace(learn=self.heard.append),
            clocks=SimpleNamespace(world_ms=self.look),
        )

    def look(self) -> int:
        self.looks += 1
        return self.now_ms

    async def looked_again(self) -> None:
        """Until what is there now has been looked at."""
        seen = self.looks
        await until(lambda: self.looks > seen + 1)


async def test_a_running_engine_takes_up_a_changed_file_and_rings_while_it_cannot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coefficients, "LOOK_EVERY_S", 0.005)
    place, desk = place_of("demo", tmp_path), Desk()
    watching: Any = watch_coefficients(place, SIM, desk, load(place, SIM), SERIES)  # type: ignore[arg-type]
    task = asyncio.ensure_future(watching)
    await desk.looked_again()
    assert desk.heard == [] and desk.alarms.rung == {}, "nothing has changed"
    write_private(place.coefficients, PACKAGED[:-3])
    await until(lambda: desk.heard == [None])
    assert "is not used" in desk.alarms.rung["coefficients"]
    write_private(place.coefficients, PACKAGED)
    await until(lambda: len(desk.heard) == 2)
    assert desk.heard[1] is not None and desk.alarms.rung == {}
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_a_file_that_changes_while_the_engine_starts_is_taken_up_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coefficients, "LOOK_EVERY_S", 0.005)
    place, desk = place_of("live", tmp_path), Desk()
    paths.prepare(place)
    first = load(place, REAL)
    write_private(place.coefficients, b"[")
    watching: Any = watch_coefficients(place, REAL, desk, first, ())  # type: ignore[arg-type]
    task = asyncio.ensure_future(watching)
    await until(lambda: desk.heard == [None])
    assert "is not used" in desk.alarms.rung["coefficients"]
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_before_coefficients_end_the_engine_says_when_and_what_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coefficients, "LOOK_EVERY_S", 0.005)
    place, desk, end_ms = place_of("demo", tmp_path), Desk(), climate_day_bounds(NYC, ENDS)[0]
    watching: Any = watch_coefficients(place, SIM, desk, load(place, SIM), SERIES)  # type: ignore[arg-type]
    task = asyncio.ensure_future(watching)
    levels = []
    for days in (8, 7, 3, -30):
        before, desk.now_ms = len(desk.alarms.said), end_ms - days * DAY_MS
        await desk.looked_again()
        levels.append([said.level for said in desk.alarms.said[before:]])
    assert levels == [[], [AlarmLevel.NOTE], [AlarmLevel.CHECK], [AlarmLevel.CHECK]]
    assert {(said.what, said.clears) for said in desk.alarms.said} == {
        (
            "the history behind KNYC high, KNYC low ends 2026-11-23: without a newer one the weather models "
            f"have no price for days after {ENDS}",
            "pmconsole models update, then pmconsole models fit",
        )
    }
    desk.now_ms = BEGAN_MS
    await until(lambda: desk.alarms.rung == {})
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def test_only_what_the_desk_trades_is_told_to_end_and_the_first_to_end_first(tmp_path: Path) -> None:
    learned = load(place_of("demo", tmp_path), SIM).learned
    assert learned is not None
    at_ms = climate_day_bounds(NYC, "2026-11-30")[0] + DAY_MS // 2
    assert learned.last(learned.fit("KAUS", 0, Extreme.LOW) or pytest.fail("packaged")) == "2026-11-16"
    assert ending(learned, (), at_ms) is None and ending(learned, ("KXINX", "KXHIGHSEA"), at_ms) is None
    both = ending(learned, ("KXHIGHNY", "KXLOWTAUS"), at_ms)
    assert both is not None and both.of == ("KAUS low", "KNYC high")
    assert (both.last, both.until, both.days) == ("2026-11-16", "2026-11-30", 0)
    assert ending(learned, ("KXHIGHAUS",), at_ms - DAY_MS) is None, "the city's highs go on for eight days"


def test_a_fit_that_no_engine_would_take_leaves_the_one_before_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = place_of("live", tmp_path)
    paths.make_private(place.training(""))
    key = Key("2026-11-20", Extreme.HIGH, 0, "gfs_seamless")
    Archive(place.training("") / "KNYC.csv", "KNYC").add({key: 50.0})
    good = decode(PACKAGED, "sim").fits[0]
    nan = msgspec.structs.replace(good.t6, mean={**good.t6.mean, "constant": float("nan")})
    made: list[Fit] = [good]
    monkeypatch.setattr(fitting, "fit_all", lambda *_: fitting.Fitted(tuple(made), ()))
    models_alone.fit(place, print)
    before = place.coefficients.read_bytes()
    assert load(place, REAL).learned is not None
    made[0] = msgspec.structs.replace(good, t6=nan)
    with pytest.raises(models_alone.NotTrainedError, match=r"is of no use .* is left as it was"):
        models_alone.fit(place, print)
    assert place.coefficients.read_bytes() == before

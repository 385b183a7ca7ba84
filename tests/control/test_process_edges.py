"""The edges of the engine process: one holder, the stop file, and a log without secrets."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.config import paths
from core.config.paths import Environment, Profile
from core.config.settings import DAILY_HIGHS, FeedSettings, MarketSettings, Settings, SettingsError
from core.control import log
from core.control.beside import tell_head
from core.control.building import Building
from core.control.flag import watch
from core.control.identity import accounts_of
from core.control.lock import LockFileError, LockHeldError, sole_holder
from core.control.site import World
from core.control.sources import followed, read_stations
from core.domain.clock import REAL_WORLD, Clocks, SystemClock
from core.domain.market import Venue
from core.engine.operator import Actor, ActorKind, Outcome
from core.feeds.feed import FeedState
from core.feeds.registry import SOURCES, declarations
from core.risk.limits import DEFAULTS
from core.venues.polymarket.hosts import Addresses
from core.venues.polymarket.sign import OwnSigner
from core.venues.polymarket.venue import PolymarketConfig
from core.venues.polymarket.wallets import SignatureType, account
from tests.venues.polymarket.golden import ADDRESS, KEY
from tests.venues.polymarket.scripted import CREDENTIALS

from .alongside import until

_HOLD = """
import sys
from pathlib import Path
from core.control.lock import sole_holder
with sole_holder(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_engine_is_refused_by_name_and_a_dead_ones_lock_is_none(tmp_path: Path) -> None:
    path = tmp_path / "engine.lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None and holder.stdin is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(LockHeldError, match=rf"pid {holder.pid}.*pmconsole engine stop"), sole_holder(path):
        pass
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    holder.stdin.close()
    holder.stdout.close()
    assert path.read_text().strip() == str(holder.pid)  # the dead engine's file is still there
    with sole_holder(path):
        assert path.read_text().strip() == str(os.getpid())


def test_a_lock_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    path = tmp_path / "engine.lock"
    path.mkdir()
    with pytest.raises(LockFileError, match=r"engine\.lock: Is a directory; move it away"), sole_holder(path):
        pass


def building(place: Profile, http: httpx.AsyncClient, **more: Any) -> Building:
    sources = {of.name: {"api": "http://127.0.0.1:9"} for of in declarations()}
    world = World(environment=Environment.SIM, feeds=sources, world_id="w")
    settings = Settings(**more)
    return Building(place, settings, DEFAULTS, world, None, None, Clocks(SystemClock(), REAL_WORLD), http)


async def test_a_desk_without_weather_asks_for_none(tmp_path: Path) -> None:
    place, silent = paths.Profile("demo", tmp_path), MarketSettings(series=("KXLOAD",))
    async with httpx.AsyncClient() as http:
        desk = building(place, http, markets=silent)
        feeds = desk._feeds(desk._asked())(lambda _: None)
        states = {row.source: row.state for row in (feed.health() for feed in feeds)}
        assert {states[source.of.name] for source in SOURCES if source.of_stations} == {FeedState.OFF}
        assert states["coinbase"] is FeedState.WAITING
        named = building(place, http, markets=silent, feeds=FeedSettings(stations=("KATL",)))
        assert [station.icao for station in read_stations(named.place, named.settings, named.world)] == [
            "KATL"
        ]
        hourly = MarketSettings(series=("KXTEMPMIAH", "KXTEMPNYCHS", "KXTEMPKCH"))
        around = building(place, http, markets=hourly)
        assert [station.icao for station in read_stations(around.place, around.settings, around.world)] == [
            "KMIA", "KNYC",
        ]  # fmt: skip
        unknown = building(place, http, feeds=FeedSettings(stations=("KATL", "KLGA")))
        with pytest.raises(
            SettingsError, match=r"config\.toml: feeds\.stations names KLGA, which no forecast"
        ):
            unknown._feeds(unknown._asked())


async def test_what_is_followed_on_polymarket(tmp_path: Path) -> None:
    """In the demo all that its simulator lists, elsewhere what the operator names."""
    named = MarketSettings(polymarket=("series:10192",))
    async with httpx.AsyncClient() as http:
        for name, by_default in (("demo", ("tag:weather",)), ("live", ())):
            place = paths.Profile(name, tmp_path)
            assert building(place, http)._followed() == by_default
            assert building(place, http, markets=named)._followed() == named.polymarket


async def test_a_desk_trades_where_it_has_an_account_and_arms_with_its_name(tmp_path: Path) -> None:
    place = paths.Profile("live", tmp_path)
    traded = account(ADDRESS, SignatureType.EOA, "")
    wallet = PolymarketConfig(Addresses(), place.environment, OwnSigner(KEY, traded), CREDENTIALS)
    async with httpx.AsyncClient() as http:
        alone = building(place, http)._replace(world=World(environment=place.environment), wallet=wallet)
    assert list(alone._venues(alone._asked())) == [Venue.POLYMARKET]
    arming = alone._arming()
    assert arming is not None and arming.phrase == f"arm live {ADDRESS[-4:]}"
    assert arming.key == accounts_of(None, traded).mark


async def test_the_head_of_the_journal_is_told_at_the_start_and_with_each_day(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.control.beside.HEAD_CHECK_S", 0.0)
    caplog.set_level(logging.INFO)
    now, head = [1_700_000_000_000], [(7, "ab" * 32)]
    telling = asyncio.create_task(tell_head(lambda: head[0], lambda: now[0]))
    for _ in range(5):
        await asyncio.sleep(0)
    now[0] += 86_400_000
    head[0] = (9, "cd" * 32)
    for _ in range(5):
        await asyncio.sleep(0)
    telling.cancel()
    said = [log.redact(record.getMessage()) for record in caplog.records if "head" in record.getMessage()]
    assert said == [
        f"journal head on 2023-11-14: row 7 {'ab' * 16}",
        f"journal head on 2023-11-15: row 9 {'cd' * 16}",
    ]


class Stops:
    def __init__(self) -> None:
        self.flattened_by: list[Actor] = []
        self.on_disk: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def flatten(self, actor: Actor, *, now: bool = False, sent_ns: int = 0) -> Outcome:
        self.flattened_by.append(actor)
        return Outcome(accepted=True, text="")

    async def halt_written(self) -> bool:
        return await asyncio.shield(self.on_disk)


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.fixture
async def stops() -> Stops:
    return Stops()


async def test_touching_the_file_flattens_within_a_quarter_second_and_once(
    tmp_path: Path, stops: Stops
) -> None:
    path = tmp_path / "FLATTEN"
    watching = asyncio.create_task(watch(path, stops, lambda: 1_700_000_000_000, found=False))
    await asyncio.sleep(0.01)
    path.touch()
    touched = asyncio.get_running_loop().time()
    await until(lambda: stops.flattened_by)
    assert asyncio.get_running_loop().time() - touched < 0.25
    assert stops.flattened_by == [Actor(ActorKind.FILE, uid=os.getuid())]
    assert path.exists()  # not before the halt is durable
    stops.on_disk.set_result(True)
    await until(lambda: not path.exists())
    assert _names(tmp_path) == ["FLATTEN.20231114T221320.000000Z"]
    assert len(stops.flattened_by) == 1
    watching.cancel()


async def test_the_file_found_at_start_does_not_sell_and_the_next_one_does(
    tmp_path: Path, stops: Stops
) -> None:
    path = tmp_path / "FLATTEN"
    path.touch()
    stops.on_disk.set_result(True)
    watching = asyncio.create_task(watch(path, stops, lambda: 1_700_000_000_000, found=True))
    await until(lambda: not path.exists())
    assert stops.flattened_by == []
    path.touch()
    await until(lambda: stops.flattened_by)
    watching.cancel()


async def test_without_a_durable_halt_the_file_stays_for_the_restart(tmp_path: Path, stops: Stops) -> None:
    path = tmp_path / "FLATTEN"
    stops.on_disk.set_result(False)
    path.touch()
    watching = asyncio.create_task(watch(path, stops, lambda: 0, found=False))
    await until(lambda: stops.flattened_by)
    await asyncio.sleep(0.25)
    assert path.exists()
    assert len(stops.flattened_by) == 1
    watching.cancel()


SECRETS = (
    "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----",
    "KALSHI-ACCESS-SIGNATURE: " + "aB3+/" * 12 + "==",
    "0x" + "ab" * 32,
)


@pytest.mark.parametrize("secret", SECRETS)
def test_no_secret_and_no_control_reaches_the_log(tmp_path: Path, secret: str) -> None:
    path = tmp_path / "engine.log"
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    log.to_file(path)
    try:
        try:
            key_of_mine = secret
            raise RuntimeError(f"signing failed with {key_of_mine}")
        except RuntimeError:
            logging.getLogger("room").exception("it\x1b[2J went wrong: %s\nforged line", secret)
    finally:
        for handler in root.handlers:
            handler.stream.close()  # type: ignore[attr-defined]
        root.handlers[:] = before
        root.setLevel(level)
    text = path.read_text()
    line = json.loads(text)  # one line, whatever the text held
    assert line["level"] == "ERROR" and "went wrong" in line["text"]
    assert line["places"][0].startswith("test_process_edges.py")
    for part in secret.split("\n"):
        if len(part) > 30 and "-----" not in part:
            assert part.split(": ")[-1] not in text
    assert "\x1b" not in text
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_demo_follows_what_its_simulator_lists_and_others_the_daily_highs() -> None:
    listed = World(environment=Environment.SIM, series=("KXHIGHNY", "KXINX"))
    named = Settings(markets=MarketSettings(series=("KXCPI",)))
    assert followed(Settings(), listed) == ("KXHIGHNY", "KXINX")
    assert followed(named, listed) == ("KXCPI",)
    assert followed(Settings(), World(environment=Environment.DEMO)) == DAILY_HIGHS


_STARTED = """
import os, sys
from tui.cli import cli
try:
    cli(["engine", "run", "--profile", "live"])
except SystemExit as ended:
    print(ended.code, "numpy" in sys.modules, "scipy" in sys.modules, len(os.listdir("/proc/self/task")))
"""


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="this system does not list threads")
def test_an_engine_starts_no_threads_of_the_linear_algebra(tmp_path: Path) -> None:
    """They would wait for each other on the core that the journal needs. Without limits it ends at once."""
    surroundings = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    found = subprocess.run(
        [sys.executable, "-c", _STARTED],
        env=surroundings | {"PMCONSOLE_HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert found.stdout == "2 True True 1\n"

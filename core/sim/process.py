"""SIM as a process: both exchanges, their world and the feeds behind loopback ports, until told to stop.

Prints one JSON line through ``ready`` once all answer: where they are, the keys, both clocks and
the world. Whoever starts it may also read that line from ``ready_file``.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from starlette.applications import Starlette

from core.domain.clock import Clock, WorldClock
from core.domain.units import Money
from core.sim.beliefs import Beliefs
from core.sim.exchange import Exchange
from core.sim.families.floor import FamilyFloor
from core.sim.families.ranges import hunches
from core.sim.families.table import FAMILIES, Told, families
from core.sim.faults import Faults
from core.sim.faulty import faulty_network, network_faults, told
from core.sim.feeds.app import addresses, build_feeds_app, provider_names
from core.sim.feeds.around import Readers, build_around
from core.sim.feeds.switchboard import Switches
from core.sim.hosting import LOOPBACK, Server, SimError, bind, keys_folder, signals, write_private
from core.sim.kalshi import server as kalshi_server
from core.sim.kalshi.app import STREAM_PATH, build_app
from core.sim.kalshi.auth import KeyEntry, KeyRegistry
from core.sim.load import BookLoad, last_sequences, list_load
from core.sim.plan import Plan
from core.sim.polymarket import load as polymarket_load
from core.sim.polymarket.floor import Floor, build_floor
from core.sim.proxy import Proxy
from core.sim.pump import Pump
from core.sim.releases import Releases, surveys
from core.sim.scenarios.loader import FeedFault, Scenario, ScenarioError, load_scenario
from core.sim.settled import SettledPast
from core.sim.story import Stage, Story
from core.sim.traders import TAKERS, Traders
from core.sim.watch import StreamWatch, WatchedApp
from core.sim.weather import Weather
from core.sim.world import World, replay_note, start_calendar, start_clock

__all__ = ["CUSTOMER", "Sim", "SimError", "SimOptions", "build", "serve"]

REST_PATH = "/trade-api/v2"
CUSTOMER = "customer"
CUSTOMER_CASH = Money(500_000_000)
TICK_S = 0.1
PUMP_TICK_S = 0.005


class SimOptions(msgspec.Struct, frozen=True):
    """What the command line decides. Port 0 picks a free one; without ``keys_dir`` keys live in a temporary
    folder that goes with the process."""

    kalshi_port: int = 0
    polymarket_port: int = 0
    feeds_port: int = 0
    scenario: str = "demo"
    speed: float = 1.0
    seed: int = 1
    ready_file: Path | None = None
    keys_dir: Path | None = None
    faults: int | None = None
    """Seed of the network faults between clients and the exchange; ``None`` without."""


class Sim(msgspec.Struct, frozen=True):
    """One simulated world, assembled and not yet served."""

    exchange: Exchange
    world: World
    world_clock: WorldClock
    kalshi: Starlette
    polymarket: Floor
    feeds: Starlette
    releases: Releases
    faults: Faults
    traders: Traders
    story: Story
    switches: Switches
    """What is wrong with which feed for the moment."""
    watch: StreamWatch
    pumps: dict[str, Pump]
    """By the name of the file beside the ready file that says what went out."""
    keys: list[KeyEntry]
    families: FamilyFloor

    def step(self) -> None:
        """Bring everything but the pump up to now."""
        for listed in self.world.tick():
            self.traders.enter(listed)
            self.polymarket.enter(listed)
        self.families.step()
        self.traders.step()
        self.polymarket.step()
        self.story.step()


def build(options: SimOptions, clock: Clock, world_id: str, keys_dir: Path) -> Sim:
    """Assemble a world; raises ``SimError`` for a scenario or speed that cannot be."""
    if not 0 < options.speed <= 10_000:
        raise SimError(f"speed {options.speed:g} is not above 0 and at most 10000")
    try:
        scenario = load_scenario(options.scenario)
    except ScenarioError as error:
        raise SimError(str(error)) from error
    for beat in scenario.script.story:
        if isinstance(beat, FeedFault) and beat.feed not in provider_names():
            known = ", ".join(provider_names())
            raise SimError(f"scenario {scenario.name}: no feed is called {beat.feed!r}: one of {known}")
    for name in scenario.script.families:
        if name not in FAMILIES:
            known = ", ".join(FAMILIES)
            raise SimError(f"scenario {scenario.name}: no family is called {name!r}: one of {known}")
    clock_of_world = start_clock(scenario, options.speed, clock.wall_ms())
    calendar = start_calendar(scenario, clock_of_world.world_origin_ms)
    weather = Weather(scenario, calendar, clock_of_world.world_origin_ms, options.seed)
    ids = _uuids(world_id)
    exchange = Exchange(clock, clock_of_world, ids)
    world = World(scenario, weather, exchange, clock, clock_of_world)
    beliefs = Beliefs(weather, options.speed, world.now_ms())
    rng = random.Random(options.seed)
    traders = Traders(exchange, world, beliefs, clock, rng, moves=scenario.script.traders.moves)
    exchange.open_account(CUSTOMER, CUSTOMER_CASH)
    traders.customers.add(CUSTOMER)
    faults, registry = Faults(clock), KeyRegistry(exchange.dialect.clock_window_s * 1000)
    keys = registry.generate(keys_dir, CUSTOMER, ids)
    keys.append(registry.second(keys_dir, CUSTOMER, ids()))
    switches, watch = Switches(), StreamWatch(keep_last=scenario.script.load is not None)
    polymarket = build_floor(
        clock,
        clock_of_world,
        world,
        beliefs,
        ids=_uuids(f"{world_id} polymarket"),
        seed=options.seed,
        keys_dir=keys_dir,
    )
    traders.on_requote.append(polymarket.crowd.requote)
    pumps = _pumps(scenario, exchange, polymarket, clock, world, rng, watch)
    stage = Stage(world, traders, faults, polymarket.venue.faults, switches, CUSTOMER)
    story = Story(scenario.script.story, stage, clock)
    watch.on_subscribe.append(story.begin)
    readers = Readers(lambda: traders.hear(read=True), lambda station: traders.look(station, read=True))
    around = build_around(weather, clock, clock_of_world, options.seed, readers)
    told_of = Told(
        weather,
        around.prices,
        around.games,
        around.releases,
        options.speed,
        lambda _: beliefs.heard_ms(),
        hunches(options.seed),
    )
    kalshi, past = build_app(exchange, registry, clock, faults, around.prices), SettledPast(world)
    kalshi.state.venue.past, kalshi.state.venue.archive.market_settled_ms = past, past.began_ms
    return Sim(
        exchange,
        world,
        clock_of_world,
        kalshi,
        polymarket,
        build_feeds_app(around, switches),
        around.releases,
        faults,
        traders,
        story,
        switches,
        watch,
        pumps,
        keys,
        FamilyFloor(exchange, families(scenario.script.families, told_of), clock, clock_of_world),
    )


def _pumps(
    scenario: Scenario,
    exchange: Exchange,
    polymarket: Floor,
    clock: Clock,
    world: World,
    rng: random.Random,
    watch: StreamWatch,
) -> dict[str, Pump]:
    """One for each venue the scenario loads; it begins when somebody follows that venue's books."""
    pumps, script = {}, scenario.script
    if script.load is not None:
        load = BookLoad(exchange, list_load(exchange, script.load, world.now_ms()), rng)
        pump = pumps["pump.json"] = Pump(script.load, clock, load.act, lambda: last_sequences(watch))
        watch.on_subscribe.append(pump.begin)
    if script.polymarket_load is not None:
        stream = polymarket.stream
        tokens = polymarket_load.list_load(polymarket.exchange, script.polymarket_load, world.now_ms())
        act = polymarket_load.BookLoad(polymarket.exchange, tokens, rng).act
        pump = pumps["polymarket-pump.json"] = Pump(
            script.polymarket_load, clock, act, lambda: {"frames": stream.sent}
        )
        stream.on_subscribe.append(pump.begin)
    return pumps


def _uuids(seed: str) -> Callable[[], str]:
    """Unique texts, the same for the same seed."""
    rng = random.Random(seed)
    return lambda: str(uuid.UUID(int=rng.getrandbits(128), version=4))


async def serve(options: SimOptions, clock: Clock, ready: Callable[[str], None]) -> None:
    """Run SIM until SIGTERM, SIGINT or cancellation. ``ready`` gets the one line to print.

    Raises ``SimError`` where it cannot start: port in use, unknown scenario, keys not writable.
    """
    with contextlib.ExitStack() as stack:
        kalshi_socket = stack.enter_context(bind(options.kalshi_port, "--kalshi-port"))
        polymarket_socket = stack.enter_context(bind(options.polymarket_port, "--polymarket-port"))
        feeds_socket = stack.enter_context(bind(options.feeds_port, "--feeds-port"))
        keys_dir = stack.enter_context(keys_folder(options.keys_dir))
        world_id = f"{options.scenario}-{options.seed}-{uuid.uuid4().hex[:12]}"
        sim = build(options, clock, world_id, keys_dir)
        sim.step()
        kalshi = Server(kalshi_server.config(sim.kalshi))
        kalshi.config.app = WatchedApp(sim.kalshi, sim.watch)
        polymarket = Server(kalshi_server.config(sim.polymarket.app, pings=False))
        feeds = Server(kalshi_server.config(sim.feeds, pings=False, dates=False))
        line = _ready_line(options, sim, world_id, kalshi_socket, polymarket_socket, feeds_socket)

        def stop() -> None:
            kalshi.should_exit = polymarket.should_exit = feeds.should_exit = True

        stack.enter_context(signals(stop))
        try:
            async with asyncio.TaskGroup() as tasks:
                driving = []
                kalshi_inner, polymarket_inner = kalshi_socket, polymarket_socket
                if options.faults is not None:
                    kalshi_inner, polymarket_inner = (stack.enter_context(bind(0, "--faults")) for _ in "KP")
                    proxies = _faulty(options.faults, sim, clock, kalshi_inner, polymarket_inner)
                    for proxy, outer in zip(proxies, (kalshi_socket, polymarket_socket), strict=True):
                        driving.append(tasks.create_task(proxy.serve(outer)))
                serving = [
                    tasks.create_task(kalshi.serve([kalshi_inner])),
                    tasks.create_task(polymarket.serve([polymarket_inner])),
                    tasks.create_task(feeds.serve([feeds_socket])),
                ]
                await asyncio.gather(kalshi.up.wait(), polymarket.up.wait(), feeds.up.wait())
                driving.append(tasks.create_task(_drive(sim)))
                for name, pump in sim.pumps.items():
                    file = options.ready_file.with_name(name) if options.ready_file is not None else None
                    driving.append(tasks.create_task(_drive_pump(pump, file)))
                try:
                    if options.ready_file is not None:
                        write_private(options.ready_file, line + "\n")
                    ready(line)
                    await asyncio.wait(serving, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    stop()
                    await asyncio.wait(serving)
                    for task in driving:
                        task.cancel()
        except* SimError as failed:
            raise SimError(str(failed.exceptions[0])) from failed


def _faulty(
    seed: int, sim: Sim, clock: Clock, kalshi: socket.socket, polymarket: socket.socket
) -> tuple[Proxy, Proxy]:
    """A proxy in front of each exchange, both with the same seed's faults."""
    faults = network_faults(seed)
    _tell(f"pmconsole sim: {told(faults)}")
    behind = [(LOOPBACK, bound.getsockname()[1]) for bound in (kalshi, polymarket)]
    return (
        faulty_network(faults, behind[0], clock, sim.exchange, CUSTOMER, TAKERS),
        Proxy(Plan(faults), behind[1], clock, sim.polymarket.trade_with),
    )


async def _drive(sim: Sim) -> None:
    """Step for ever, and say once where the record ends: markets settle and reads answer as before."""
    ended = False
    while True:
        sim.step()
        if not ended and sim.world.ended():
            ended = True
            last = sim.world.scenario.script.last_day
            _tell(
                f"pmconsole sim: the record ends with {last}: the last market has closed and no other will "
                f"be listed. Start a new world to go on."
            )
        await asyncio.sleep(TICK_S)


def _tell(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)  # noqa: T201  # SIM's terminal


async def _drive_pump(pump: Pump, file: Path | None) -> None:
    """Pump, and say once a second and at the end what went out: in ``file``, then on stderr."""
    steps, done = 0, False
    while not done:
        done = pump.step()
        await asyncio.sleep(PUMP_TICK_S)
        steps += 1
        if file is not None and (done or steps % int(1 / PUMP_TICK_S) == 0):
            write_private(file, msgspec.json.encode(pump.report()).decode())
    _tell(msgspec.json.encode({"pump": pump.report()}).decode())


def _ready_line(
    options: SimOptions,
    sim: Sim,
    world_id: str,
    kalshi: socket.socket,
    polymarket: socket.socket,
    feeds: socket.socket,
) -> str:
    kalshi_host = f"{LOOPBACK}:{kalshi.getsockname()[1]}"
    feeds_url = f"http://{LOOPBACK}:{feeds.getsockname()[1]}"
    first = sim.keys[0]
    ready: dict[str, Any] = {
        "kalshi": {
            "rest": f"http://{kalshi_host}{REST_PATH}",
            "ws": f"ws://{kalshi_host}{STREAM_PATH}",
            "key_id": first.key_id,
            "private_key_path": first.private_key_path,
            "watchdog": sim.keys[-1],
            "keys": sim.keys,
        },
        "polymarket": sim.polymarket.ready(f"{LOOPBACK}:{polymarket.getsockname()[1]}"),
        "feeds": {"sources": addresses(feeds_url)},
        "clock": sim.world_clock,
        "world": {
            "id": world_id,
            "scenario": options.scenario,
            "seed": options.seed,
            "calendar_offset_days": sim.world.weather.calendar.offset_days,
            "series": list(sim.exchange.series),
            "views": surveys(sim.releases, sim.world.now_ms()),
            "trades_until_ms": sim.world.trades_until_ms,
            "replay": replay_note(sim.world.scenario, options.seed),
        },
    }
    return msgspec.json.encode(ready).decode()

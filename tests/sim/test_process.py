"""SIM as a process: the ready line, refusals to start, stopping, the load scenario's account."""

import asyncio
import json
import random
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.domain.clock import SystemClock
from core.domain.units import parse_money
from core.sim.events import BookChanged, ExchangeEvent
from core.sim.load import BookLoad
from core.sim.process import CUSTOMER, SimError, SimOptions, serve
from core.sim.pump import Pump
from core.sim.scenarios.loader import LoadRules
from core.sim.watch import StreamWatch, WatchedApp

MakeDesk = Callable[..., Any]

PROGRAM = """
import asyncio, sys
from pathlib import Path
from core.domain.clock import SystemClock
from core.sim.load import BookLoad
from core.sim.process import SimOptions, serve
options = SimOptions(speed=144.0, seed=3, ready_file=Path(sys.argv[1]))
asyncio.run(serve(options, SystemClock(), lambda line: print(line, flush=True)))
"""


def test_a_started_sim_says_one_line_answers_and_stops_on_sigterm(tmp_path: Path) -> None:
    file = tmp_path / "ready.json"
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(file)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        took_s = time.monotonic() - began
        ready = json.loads(line)
        assert json.loads(file.read_text()) == ready
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(Path(ready["kalshi"]["private_key_path"]).stat().st_mode) == 0o600
        polymarket = ready["polymarket"]
        for name in ("private_key_path", "credentials_path"):
            assert stat.S_IMODE(Path(polymarket[name]).stat().st_mode) == 0o600
        assert all(secret not in line for secret in _secrets(polymarket))
        twins = httpx.get(polymarket["gamma"] + "/events/keyset").json()["events"]
        assert len(twins) == 6 and httpx.get(polymarket["clob"] + "/version").json() == {"version": 2}
        assert httpx.get(polymarket["geoblock"]).json()["blocked"] is False
        assert httpx.get(polymarket["data"] + "/v2/status").status_code == 200
        listed = httpx.get(ready["kalshi"]["rest"] + "/markets", params={"series_ticker": "KXHIGHNY"})
        point = httpx.get(ready["feeds"]["sources"]["nws-grid"]["api"] + "/points/40.779,-73.969").json()
        assert (len(listed.json()["markets"]), point["properties"]["gridId"]) == (12, "OKX")
    finally:
        process.send_signal(signal.SIGTERM)
        rest, errors = process.communicate(timeout=10)
    assert (process.returncode, rest, errors) == (0, "", "")
    assert not Path(ready["kalshi"]["private_key_path"]).exists()
    assert took_s < 5.0  # half a second on an idle machine


def _secrets(polymarket: dict[str, Any]) -> list[str]:
    """What may be in the files alone."""
    triple = json.loads(Path(polymarket["credentials_path"]).read_text())
    return [Path(polymarket["private_key_path"]).read_text().strip(), triple["secret"], triple["passphrase"]]


async def running(options: SimOptions, use: Callable[[dict[str, Any]], Any]) -> Any:
    """Start SIM in this loop, call ``use`` with what it says when ready, stop it."""
    lines: asyncio.Queue[str] = asyncio.Queue()
    serving = asyncio.create_task(serve(options, SystemClock(), lines.put_nowait))
    try:
        return await use(json.loads(await asyncio.wait_for(lines.get(), 10)))
    finally:
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving


async def test_the_ready_line_says_where_when_and_which_world(tmp_path: Path) -> None:
    async def look(ready: dict[str, Any]) -> dict[str, Any]:
        return ready

    keys = tmp_path / "keys"
    first = await running(SimOptions(speed=144.0, seed=7, keys_dir=keys), look)
    second = await running(SimOptions(speed=144.0, seed=7, keys_dir=keys), look)
    assert set(first) == {"kalshi", "polymarket", "feeds", "clock", "world"}
    kalshi = first["kalshi"]
    assert kalshi["rest"].startswith("http://127.0.0.1:") and kalshi["rest"].endswith("/trade-api/v2")
    assert kalshi["ws"].startswith("ws://127.0.0.1:") and kalshi["ws"].endswith("/trade-api/ws/v2")
    assert kalshi["keys"][0]["key_id"] == kalshi["key_id"]
    assert {(k["type"], tuple(k["scopes"])) for k in kalshi["keys"]} >= {
        ("rsa", ("read", "write::trade")),
        ("ed25519", ("read", "write::trade")),
    }
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700
    polymarket = first["polymarket"]
    assert polymarket["chain_id"] == 137 and polymarket["gamma"] == polymarket["clob"] + "/gamma"
    assert polymarket["ws_user"] == polymarket["clob"].replace("http", "ws") + "/ws/user"
    assert (
        polymarket["wallets"]["0"] == polymarket["address"] and len(set(polymarket["wallets"].values())) == 4
    )
    assert set(first["clock"]) == {"real_origin_ms", "world_origin_ms", "speed"}
    assert first["world"]["scenario"] == "demo" and first["world"]["seed"] == 7
    assert first["world"]["calendar_offset_days"] > 600
    assert first["world"]["replay"].startswith("Replays 2025-01-21 to 2025-02-11. Real: ")
    assert first["world"]["id"] != second["world"]["id"]


class LateClock(SystemClock):
    """Real time, shifted."""

    ahead_ms = 0

    def wall_ms(self) -> int:
        return super().wall_ms() + self.ahead_ms


async def test_the_end_of_the_record_is_said_once_and_reads_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    clock, lines = LateClock(), asyncio.Queue[str]()
    serving = asyncio.create_task(serve(SimOptions(scenario="quiet", speed=144.0), clock, lines.put_nowait))
    ready = json.loads(await asyncio.wait_for(lines.get(), 10))
    assert (ready["world"]["trades_until_ms"] - ready["clock"]["world_origin_ms"]) // 86_400_000 == 21
    said = ""
    async with httpx.AsyncClient(base_url=ready["kalshi"]["rest"]) as http:
        assert len((await http.get("/markets?status=open")).json()["markets"]) == 60
        clock.ahead_ms = 30 * 86_400_000 // 144
        async with asyncio.timeout(10):
            while "record ends" not in said:
                assert (await http.get("/exchange/status")).status_code == 200
                said += capsys.readouterr().err
        assert (await http.get("/markets?status=open")).json()["markets"] == []
        assert len((await http.get("/markets?status=closed&limit=1000")).json()["markets"]) == 660
        nws = await http.get(ready["feeds"]["sources"]["nws-grid"]["api"] + "/gridpoints/OKX/34,45")
        assert nws.status_code == 200
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    said += capsys.readouterr().err
    assert said.splitlines() == [
        "pmconsole sim: the record ends with 2025-02-11: the last market has closed and no other will be "
        "listed. Start a new world to go on."
    ]


async def test_feeds_answer_without_waiting_for_delayed_acknowledgements() -> None:
    async def ask(ready: dict[str, Any]) -> list[float]:
        took = []
        async with httpx.AsyncClient() as http:
            for _ in range(15):
                sent = time.perf_counter()
                await http.get(ready["feeds"]["sources"]["nws-grid"]["api"] + "/points/40.779,-73.969")
                took.append(time.perf_counter() - sent)
        return took

    took = await running(SimOptions(seed=7), ask)
    assert sorted(took)[7] < 0.03


async def test_a_port_in_use_is_one_sentence_that_says_what_to_do() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for options, name in (
            (SimOptions(kalshi_port=port), "--kalshi-port"),
            (SimOptions(polymarket_port=port), "--polymarket-port"),
            (SimOptions(feeds_port=port), "--feeds-port"),
        ):
            with pytest.raises(SimError) as refused:
                await serve(options, SystemClock(), print)
            assert str(refused.value) == f"port {port} is in use: give {name} another, or 0 for a free one"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (SimOptions(scenario="nope"), "unknown scenario 'nope': one of "),
        (SimOptions(speed=0.0), "speed 0 is not above 0"),
        (SimOptions(speed=float("nan")), "speed nan is not above 0"),
        (SimOptions(kalshi_port=70_000), "cannot listen on port 70000"),
        (SimOptions(keys_dir=Path("/dev/null/keys")), "cannot keep keys in /dev/null/keys"),
        (SimOptions(ready_file=Path("/nonexistent/ready.json")), "cannot write /nonexistent/ready.json"),
    ],
)
async def test_what_cannot_start_says_why(options: SimOptions, says: str) -> None:
    with pytest.raises(SimError) as refused:
        await serve(options, SystemClock(), print)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_customer_starts_with_five_hundred_dollars(make_desk: MakeDesk) -> None:
    assert make_desk().sim.exchange.cash(CUSTOMER) == parse_money("500")


async def test_the_watch_sees_the_first_book_subscription() -> None:
    seen: list[str] = []
    watch = StreamWatch(keep_last=True)
    watch.on_subscribe.append(lambda: seen.append("subscribed"))
    commands = [
        '{"cmd":"subscribe","params":{"channels":["fill"]}}',
        '{"cmd":"subscribe","params":{"channels":["orderbook_delta"]}}',
    ]

    async def app(_scope: Any, receive: Any, send: Any) -> None:
        for _ in range(2):
            await receive()
        await send({"type": "websocket.send", "text": '{"type":"orderbook_delta","sid":1,"seq":1,"msg":{}}'})
        await send({"type": "websocket.send", "text": '{"type":"orderbook_delta","sid":1,"seq":2,"msg":{}}'})

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.receive", "text": commands.pop(0)}

    async def send(_message: Any) -> None:
        return None

    await WatchedApp(app, watch)({"type": "websocket"}, receive, send)
    assert seen == ["subscribed"]
    assert [json.loads(text)["seq"] for text in watch.last_sent()] == [2]


def test_the_pump_sends_its_rate_and_says_how_much(make_desk: MakeDesk) -> None:
    sim, clock = (desk := make_desk("load")).sim, desk.clock
    assert len(sim.exchange.markets) == 500
    rules = LoadRules(markets=500, messages_per_s=2000, starts_after_s=1.0, for_s=2.0)
    load = BookLoad(sim.exchange, list(sim.exchange.markets), random.Random(1))
    pump = Pump(rules, clock, load.act, lambda: {"more": 7})
    changes: list[ExchangeEvent] = []
    sim.exchange.listeners.append(lambda e: changes.append(e) if isinstance(e, BookChanged) else None)
    pump.begin()
    sent = []
    for _ in range(40):
        clock.ms += 100
        sent.append((pump.step(), len(changes)))
    assert sent[9] == (False, 0)
    assert sent[19] == (False, 2000)
    assert sent[29] == (True, 4000)
    assert sent[-1] == (False, 4000)
    report = pump.report()
    assert (report["done"], report["sent"], report["more"]) == (True, 4000, 7)


def test_the_process_imports_nothing_of_the_engine() -> None:
    """SIM must not share the client's reading of a venue; random import order would hide it."""
    code = "import core.sim.process, sys; print(*sorted(m for m in sys.modules if m.startswith('core.')))"
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    foreign = [m for m in out if not m.startswith("core.sim") and not m.startswith("core.domain")]
    assert foreign == []
    assert [m for m in out if m.startswith("core.domain.")] == ["core.domain.clock", "core.domain.units"]

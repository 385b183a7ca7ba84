"""Polymarket's public side against SIM in a process of its own, watched at its sockets.

python -m tests.bench.market_client READY_FILE; ends with its standard input and says what it saw.
"""

from __future__ import annotations

import asyncio
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Mapping
from pathlib import Path

import msgspec

from core.control.ready import read_ready
from core.domain.clock import Clocks, SystemClock
from core.venues.http import network_transport
from core.venues.limiter import Limiter
from core.venues.polymarket.hosts import Addresses
from core.venues.polymarket.limits import CAPACITIES
from core.venues.polymarket.market_side import MarketSide
from core.venues.socket import Socket, open_socket
from tests.bench.harness import percentile
from tests.venues.conftest import Recorder

TRADED = 20
_STAMP = re.compile(rb'"timestamp":"(\d+)"')


class Seen(msgspec.Struct):
    """``lag_ms``: from a frame's own time, in whole milliseconds, to where it is in the books."""

    frames: int
    sockets: int
    books: int
    intact: int
    anomalies: dict[str, int]
    lag_p50_ms: float
    lag_p99_ms: float
    lag_max_ms: float


seen_decoder = msgspec.json.Decoder(Seen)


class TimedSocket:
    """A socket whose reader has applied one frame by the time it asks for the next."""

    def __init__(self, inner: Socket, lags: list[float]) -> None:
        self._inner, self._lags = inner, lags
        self._stamp_ms: int | None = None

    async def recv(self) -> bytes:
        if self._stamp_ms is not None:
            self._lags.append(time.time_ns() / 1e6 - self._stamp_ms)
        data = await self._inner.recv()
        found = _STAMP.search(data, max(0, data.rfind(b'"timestamp"')))
        self._stamp_ms = int(found[1]) if found is not None else None
        return data

    async def send(self, data: bytes) -> None:
        await self._inner.send(data)

    async def ping(self) -> Awaitable[object]:
        return await self._inner.ping()

    async def close(self) -> None:
        await self._inner.close()


async def follow(ready_file: Path) -> Seen:
    """Keep the books of every market of the load until standard input ends."""
    ready = read_ready(ready_file)
    where = ready.polymarket
    assert where is not None
    lags: list[float] = []
    sockets = 0
    anomalies: Counter[str] = Counter()

    async def opened(url: str, headers: Mapping[str, str]) -> Socket:
        nonlocal sockets
        sockets += 1
        return TimedSocket(await open_socket(url, headers), lags)

    clocks = Clocks(SystemClock(), ready.clock)
    side = MarketSide(
        Addresses(
            clob=where.clob, gamma=where.gamma, data=where.data, site=where.clob, ws_market=where.ws_market
        ),
        Recorder(),
        clocks=clocks,
        limiter=Limiter(clocks, CAPACITIES),
        rng=random.Random(1),
        transports=network_transport,
        sockets=opened,
        on_anomaly=lambda what, detail: anomalies.update([f"{what}: {detail.rpartition(': ')[2]}"]),
        on_grid=lambda: None,
    )
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(work, name=name) for name, work in side.tasks().items()]
        running.append(tasks.create_task(_watch(side)))
        await asyncio.to_thread(sys.stdin.read)
        for task in running:
            task.cancel()
    await side.close()
    return Seen(
        len(lags),
        sockets,
        len(side.views),
        sum(view.intact for view in side.views.values()),
        dict(anomalies),
        percentile(lags, 0.5),
        percentile(lags, 0.99),
        max(lags),
    )


async def _watch(side: MarketSide) -> None:
    found = await side.listing.markets(["tag:load"])
    if not isinstance(found, tuple):
        raise RuntimeError(str(found))
    tickers = [market.ticker for market in found]
    await side.watch(tickers)
    side.traded(tickers[:TRADED])
    while True:
        await side.tend()
        await asyncio.sleep(1.0)


if __name__ == "__main__":
    print(msgspec.json.encode(asyncio.run(follow(Path(sys.argv[1])))).decode())

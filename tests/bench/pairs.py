"""What is compared in one run: books, the stream's tick path, frames, the journal, gate, pricing, charts."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import msgspec

from core.control.client import encode
from core.control.protocol import Frame
from core.control.tables.markets import MarketRow
from tests.bench import books, charts, market_channel, pricing_pass, ticks
from tests.bench.harness import Pair

ROWS = 50
MARKETS = 500


def market_row(key: int) -> MarketRow:
    """A row with every field in use."""
    return MarketRow(
        key=key,
        bid=3100,
        ask=3400,
        bid_size=120_000_000,
        ask_size=160_000_000,
        moved=4,
        message_ms=123_456_789,
        intact=True,
        fair=3820,
        sigma=290,
        edge=580,
        edge_word="",
        change=150,
        net=-40_000_000,
        mark="15b44",
        status="",
    )


def market_frame(rows: int) -> Frame:
    return Frame(seq=1, made_ns=10**15, markets=tuple(market_row(key) for key in range(rows)))


def frame_bytes() -> str:
    """Bytes on the wire: 50 changed rows, and a snapshot of 500."""
    small, large = (len(encode(market_frame(rows))) for rows in (ROWS, MARKETS))
    return f"state frame: {small} bytes for {ROWS} changed rows, {large} for {MARKETS}"


def frame_pair() -> Pair:
    delta, whole = market_frame(ROWS), market_frame(MARKETS)
    encoder = msgspec.msgpack.Encoder()
    return Pair(
        f"frame of {ROWS} changed rows / of {MARKETS}",
        lambda: [encoder.encode(delta) for _ in range(200)],
        lambda: [encoder.encode(whole) for _ in range(200)],
        200,
        "about a tenth: a quiet desk costs what changed",
    )


def journal_pair() -> Pair:
    """An intent made durable before the send, against one merely queued."""
    from core.domain.clock import SystemClock
    from core.journal.events import Event, Kind
    from core.journal.opening import Identity
    from core.journal.store import Durability, open_journal

    count = 200

    async def run(wait: bool) -> None:
        with tempfile.TemporaryDirectory() as folder:
            journal = open_journal(
                Path(folder) / "journal.db",
                Identity("bench", "demo", "bench", "boot", "run"),
                SystemClock(),
                durability=Durability.NORMAL,
                on_fault=lambda fault: None,
            )
            for number in range(count):
                seq = journal.append(Event(Kind.COMMAND, {"number": number}))
                if wait:
                    await journal.durable(seq)
            await journal.durable(seq)
            await journal.close()

    return Pair(
        "journal: durable one by one / queued",
        lambda: asyncio.run(run(True)),
        lambda: asyncio.run(run(False)),
        count,
        "what writing before sending costs in CPU",
    )


def pairs() -> list[Pair]:
    return [
        *books.pairs(),
        ticks.pair(),
        market_channel.pair(),
        frame_pair(),
        journal_pair(),
        *pricing_pass.pairs(),
        charts.pair(),
    ]

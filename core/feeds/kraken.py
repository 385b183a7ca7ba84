"""Kraken's WebSocket v2: the ticker of its USD books on every change of the best bid or ask.

A heartbeat comes each second in which nothing else does. Numbers are JSON numbers, times RFC 3339.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from core.domain.text import clean_text
from core.feeds.declaration import Declaration, Family
from core.feeds.feed import Feed
from core.feeds.streaming import Arrival, Heard, Pushed
from core.feeds.touch import Touch, instant_ms
from core.feeds.wiring import Wiring

HEARTBEAT_S = 1.0
DECLARATION = Declaration(
    name="kraken",
    label="KRAKEN",
    family=Family.MARKETS,
    gives="best bid and ask of Kraken's USD books",
    urls={"ws": "wss://ws.kraken.com/v2"},
    every_s=0,
    stale_after_s=3,
)
FOLLOWED = ("BTC/USD", "ETH/USD")
ONLINE = "online"


class Row(msgspec.Struct, frozen=True):
    """Of a ticker, or of the system's status."""

    symbol: str = ""
    bid: float | None = None
    ask: float | None = None
    timestamp: str = ""
    system: str = ""


class Message(msgspec.Struct, frozen=True):
    """A channel's message, or the answer to a ``method``."""

    channel: str = ""
    data: tuple[Row, ...] = ()
    method: str = ""
    success: bool = True
    error: str = ""


_decode = msgspec.json.Decoder(Message).decode


class KrakenDialogue:
    """See ``Dialogue``."""

    silent_s = 3 * HEARTBEAT_S
    beat_s = 0.0

    def __init__(self, url: str, names: tuple[str, ...], stale_after_s: int) -> None:
        self.names = names
        self._url = url
        self._touch = Touch(DECLARATION.name, stale_after_s)

    def address(self) -> tuple[str, Mapping[str, str]]:
        return self._url, {}

    def greet(self) -> tuple[bytes, ...]:
        self._touch.forget()
        params = {"channel": "ticker", "symbol": self.names, "event_trigger": "bbo"}
        return (msgspec.json.encode({"method": "subscribe", "params": params}),)

    def beat(self) -> bytes:
        return b""

    def hear(self, data: bytes, at: Arrival) -> Heard:
        try:
            message = _decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return Heard(fault="a message does not parse")
        if not message.success:
            return Heard(fault=clean_text(f"refused: {message.error}", 160))
        match message.channel:
            case "ticker":
                return self._tickers(message.data, at)
            case "status":
                states = {row.system for row in message.data} - {ONLINE}
                return Heard(fault=clean_text(f"Kraken says it is {min(states)}", 80) if states else "")
            case _:
                return Heard()

    def _tickers(self, rows: tuple[Row, ...], at: Arrival) -> Heard:
        values: list[Pushed] = []
        fault = ""
        for row in rows:
            event_ms = instant_ms(row.timestamp)
            if row.symbol not in self.names:
                continue
            if row.bid is None or row.ask is None or event_ms is None:
                fault = (
                    f"{row.symbol} refused: its ticker has no {'time' if event_ms is None else 'bid and ask'}"
                )
                continue
            judged = self._touch.quote(row.symbol, row.bid, row.ask, at.stamp(event_ms))
            if isinstance(judged, str):
                fault = judged
            else:
                values.append(judged)
        return Heard(tuple(values), fault=fault)


def feed(wiring: Wiring) -> Feed:
    names = wiring.follows or FOLLOWED
    return wiring.streamed(KrakenDialogue(wiring.urls["ws"], names, wiring.of.stale_after_s))

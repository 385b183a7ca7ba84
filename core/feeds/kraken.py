"""Kraken's WebSocket v2: the ticker of its USD books on every change of the best bid or ask.

A heartbeat comes each second in which nothing else does. Numbers are JSON numbers, times RFC 3339. Asked
by ``GET`` it tells no time with its ticker; so the best level of each side of the book is asked for, which
has the second it was made in. An error comes under HTTP 200.
"""

from __future__ import annotations

import msgspec

from core.domain.text import clean_text
from core.feeds.declaration import Declaration, Family, Probe
from core.feeds.exchange import UNREADABLE, ExchangeDialogue, ExchangeFeed, Question, message_of
from core.feeds.feed import Feed
from core.feeds.fetch import Body, Failed, decode
from core.feeds.streaming import Arrival, Heard, Pushed
from core.feeds.touch import Touch, decimal, instant_ms
from core.feeds.wiring import Wiring

HEARTBEAT_S = 1.0
DECLARATION = Declaration(
    name="kraken",
    label="KRAKEN",
    family=Family.MARKETS,
    gives="best bid and ask of Kraken's USD books",
    urls={"ws": "wss://ws.kraken.com/v2", "api": "https://api.kraken.com"},
    every_s=0,
    stale_after_s=3,
    probe=Probe(
        "the best bid and ask of XBT/USD",
        "/0/public/Depth",
        params={"pair": "XBTUSD", "count": "1"},
        holds=b'"result"',
    ),
)
FOLLOWED = ("BTC/USD", "ETH/USD")
ONLINE = "online"
MADE_S_MAX = 1e11
"""What is no time at all; whether it is one of our days is judged with every value."""


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


Level = tuple[str, str, float]
"""Price, size, and when it was made (Unix seconds)."""


class Levels(msgspec.Struct, frozen=True):
    asks: tuple[Level, ...]
    bids: tuple[Level, ...]


class Depth(msgspec.Struct, frozen=True):
    """The answer to a question for a book, by a name of the pair's that is Kraken's own."""

    error: tuple[str, ...] = ()
    result: dict[str, Levels] = {}


_decode = msgspec.json.Decoder(Message).decode


class KrakenDialogue(ExchangeDialogue):
    """See ``Askable``."""

    silent_s = 3 * HEARTBEAT_S

    def __init__(self, url: str, names: tuple[str, ...], stale_after_s: int) -> None:
        super().__init__(url, names)
        self._touch = Touch(DECLARATION.name, stale_after_s)
        self._asked = Touch(DECLARATION.name, stale_after_s)
        """Of answers: a wrong one must not have the stream's quotes refused, nor the other way round."""

    def greet(self) -> tuple[bytes, ...]:
        self._touch.forget()
        params = {"channel": "ticker", "symbol": self.names, "event_trigger": "bbo"}
        return (msgspec.json.encode({"method": "subscribe", "params": params}),)

    def hear(self, data: bytes, at: Arrival) -> Heard:
        message = message_of(_decode, data)
        if message is None:
            return UNREADABLE
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

    def question(self, name: str, world_ms: int) -> Question:
        return Question("/0/public/Depth", {"pair": _pair(name), "count": "1"})

    def answer(self, name: str, body: Body, at: Arrival) -> Pushed | str:
        told = decode(body, Depth)
        if isinstance(told, Failed):
            return told.reason
        if told.error or len(told.result) != 1:
            return clean_text(f"refused: {', '.join(told.error) or 'no book'}", 160)
        [levels] = told.result.values()
        if not levels.bids or not levels.asks:
            return f"{name} refused: a side of its book is empty"
        (bid_text, _, bid_s), (ask_text, _, ask_s) = levels.bids[0], levels.asks[0]
        bid, ask, made_s = decimal(bid_text), decimal(ask_text), max(bid_s, ask_s)
        if bid is None or ask is None or not 0 < made_s < MADE_S_MAX:
            return f"{name} refused: its book has no {'time' if bid and ask else 'bid and ask'}"
        return self._asked.quote(name, bid, ask, at.stamp(int(made_s * 1000)))


def _pair(name: str) -> str:
    return name.replace("BTC", "XBT").replace("/", "")


def feed(wiring: Wiring) -> Feed:
    names = wiring.follows or FOLLOWED
    return ExchangeFeed(wiring, KrakenDialogue(wiring.urls["ws"], names, wiring.of.stale_after_s))

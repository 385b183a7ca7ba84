"""Binance spot: best bid and ask of its USDT books from the 24-hour ticker, once a second.

The ``bookTicker`` stream has no time, so nothing could be said of its age; the 24-hour ticker carries the
event's (``E``) beside bid and ask. A tether dollar is not a dollar: names end in ``/USDT``. The server
closes every connection after 24 hours, which the feed meets like any other end. Asked by ``GET`` it tells
the same ticker.
"""

from __future__ import annotations

import msgspec

from core.domain.text import clean_text
from core.feeds.declaration import Declaration, Family, Probe
from core.feeds.exchange import UNREADABLE, ExchangeDialogue, ExchangeFeed, Question, message_of
from core.feeds.feed import Feed
from core.feeds.fetch import Body, Failed, decode
from core.feeds.streaming import Arrival, Heard, Pushed
from core.feeds.touch import Touch, decimal
from core.feeds.wiring import Wiring

DECLARATION = Declaration(
    name="binance",
    label="BINANCE",
    family=Family.MARKETS,
    gives="best bid and ask of Binance's USDT books",
    urls={"ws": "wss://stream.binance.com:9443", "api": "https://api.binance.com"},
    every_s=0,
    stale_after_s=3,
    refusals={
        451: "Binance does not serve this country: turn it off with on = false in [feeds.binance], or set "
        'urls to the exchange that serves yours, such as urls = ["wss://stream.binance.us:9443", "https://api.binance.us"].'
    },
    probe=Probe("the ticker of BTCUSDT", "/api/v3/ticker/24hr", params={"symbol": "BTCUSDT"}),
)
FOLLOWED = ("BTC/USDT", "ETH/USDT")
SILENT_S = 10.0
"""Ten tickers missing: the server's own pings, every 20 s, are answered below and not seen here."""


class Ticker(msgspec.Struct, frozen=True):
    """The stream's single letters: ``E`` event time in ms, ``s`` symbol, ``b`` and ``a`` the touch."""

    kind: str = msgspec.field(name="e", default="")
    event_ms: int | None = msgspec.field(name="E", default=None)
    symbol: str = msgspec.field(name="s", default="")
    bid: str = msgspec.field(name="b", default="")
    ask: str = msgspec.field(name="a", default="")


class Refusal(msgspec.Struct, frozen=True):
    msg: str = ""


class Message(msgspec.Struct, frozen=True):
    """A combined stream's envelope, or the word that a request is refused."""

    data: Ticker | None = None
    error: Refusal | None = None


class Asked(msgspec.Struct, frozen=True, rename="camel"):
    """The answer to a question for a symbol's ticker; its window ends now."""

    bid_price: str
    ask_price: str
    close_time: int


_decode = msgspec.json.Decoder(Message).decode


class BinanceDialogue(ExchangeDialogue):
    """See ``Askable``. The streams stand in the path: nothing has to be said."""

    silent_s = SILENT_S

    def __init__(self, url: str, names: tuple[str, ...], stale_after_s: int) -> None:
        self._by_symbol = {_symbol(name): name for name in names}
        streams = "/".join(f"{symbol.lower()}@ticker" for symbol in self._by_symbol)
        super().__init__(f"{url.rstrip('/')}/stream?streams={streams}", names)
        self._touch = Touch(DECLARATION.name, stale_after_s)
        self._asked = Touch(DECLARATION.name, stale_after_s)
        """Of answers: a wrong one must not have the stream's quotes refused, nor the other way round."""

    def greet(self) -> tuple[bytes, ...]:
        self._touch.forget()
        return ()

    def hear(self, data: bytes, at: Arrival) -> Heard:
        message = message_of(_decode, data)
        if message is None:
            return UNREADABLE
        if message.error is not None:
            return Heard(fault=clean_text(f"refused: {message.error.msg}", 160))
        ticker = message.data
        name = self._by_symbol.get(ticker.symbol) if ticker is not None else None
        if ticker is None or name is None or ticker.kind != "24hrTicker":
            return Heard()
        if ticker.event_ms is None:
            return Heard(fault=f"{name} refused: its ticker has no time")
        bid, ask = decimal(ticker.bid), decimal(ticker.ask)
        if bid is None or ask is None:
            return Heard(fault=f"{name} refused: bid or ask is no price")
        judged = self._touch.quote(name, bid, ask, at.stamp(ticker.event_ms))
        return Heard(fault=judged) if isinstance(judged, str) else Heard((judged,))

    def question(self, name: str, world_ms: int) -> Question:
        return Question("/api/v3/ticker/24hr", {"symbol": _symbol(name)})

    def answer(self, name: str, body: Body, at: Arrival) -> Pushed | str:
        told = decode(body, Asked)
        if isinstance(told, Failed):
            return told.reason
        bid, ask = decimal(told.bid_price), decimal(told.ask_price)
        if bid is None or ask is None:
            return f"{name} refused: bid or ask is no price"
        return self._asked.quote(name, bid, ask, at.stamp(told.close_time))


def _symbol(name: str) -> str:
    return name.replace("/", "")


def feed(wiring: Wiring) -> Feed:
    names = wiring.follows or FOLLOWED
    return ExchangeFeed(wiring, BinanceDialogue(wiring.urls["ws"], names, wiring.of.stale_after_s))

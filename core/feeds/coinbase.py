"""Coinbase Advanced: the ticker channel of its USD books, with heartbeats.

``sequence_num`` counts every message of one connection: after a missing one the book shown may be any
age, so the connection is opened anew and begins with a snapshot. The outer ``timestamp`` is the event's;
the heartbeat's own ``current_time`` is in another form and not needed. Asked by ``GET`` its exchange tells
bid and ask with the time of the last trade.
"""

from __future__ import annotations

from typing import Any

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
    name="coinbase",
    label="COINBASE",
    family=Family.MARKETS,
    gives="best bid and ask of Coinbase's USD books",
    urls={"ws": "wss://advanced-trade-ws.coinbase.com", "api": "https://api.exchange.coinbase.com"},
    every_s=0,
    stale_after_s=3,
    probe=Probe("the ticker of BTC-USD", "/products/BTC-USD/ticker"),
)
FOLLOWED = ("BTC/USD", "ETH/USD")


class Ticker(msgspec.Struct, frozen=True):
    product_id: str
    best_bid: str
    best_ask: str


class Event(msgspec.Struct, frozen=True):
    tickers: tuple[Ticker, ...] = ()


class Message(msgspec.Struct, frozen=True):
    """What comes on any channel; only those of ``ticker`` have tickers."""

    channel: str = ""
    timestamp: str = ""
    sequence_num: int | None = None
    events: tuple[Event, ...] = ()
    type: str = ""
    """``error`` where a subscription is refused."""
    message: str = ""


class Asked(msgspec.Struct, frozen=True):
    """The answer to a question for a product's ticker."""

    bid: str
    ask: str
    time: str


_decode = msgspec.json.Decoder(Message).decode


class CoinbaseDialogue(ExchangeDialogue):
    """See ``Askable``."""

    silent_s = 3 * HEARTBEAT_S

    def __init__(self, url: str, names: tuple[str, ...], stale_after_s: int) -> None:
        super().__init__(url, names)
        self._touch = Touch(DECLARATION.name, stale_after_s)
        self._asked = Touch(DECLARATION.name, stale_after_s)
        """Of answers: a wrong one must not have the stream's quotes refused, nor the other way round."""
        self._sequence: int | None = None

    def greet(self) -> tuple[bytes, ...]:
        """Both at once: whoever has not subscribed 5 s after connecting is dropped."""
        self._sequence = None
        self._touch.forget()
        products = [_product(name) for name in self.names]
        return (
            _command({"type": "subscribe", "channel": "ticker", "product_ids": products}),
            _command({"type": "subscribe", "channel": "heartbeats"}),
        )

    def hear(self, data: bytes, at: Arrival) -> Heard:
        message = message_of(_decode, data)
        if message is None:
            return UNREADABLE
        if message.type == "error":
            return Heard(fault=clean_text(f"refused: {message.message}", 160))
        if message.sequence_num is None:
            return Heard()
        before, self._sequence = self._sequence, message.sequence_num
        if before is not None and message.sequence_num <= before:
            self._sequence = before
            return Heard()  # a copy, or one that was overtaken
        values, fault = self._tickers(message, at) if message.channel == "ticker" else ((), "")
        if before is not None and message.sequence_num != before + 1:
            lost = f"message {message.sequence_num} came after {before}"
            return Heard(values, fault=f"{lost}: what is missing is asked for anew", ends=True)
        return Heard(values, fault=fault)

    def _tickers(self, message: Message, at: Arrival) -> tuple[tuple[Pushed, ...], str]:
        event_ms = instant_ms(message.timestamp)
        if event_ms is None:
            return (), "a ticker has no time"
        values: list[Pushed] = []
        fault = ""
        for ticker in (ticker for event in message.events for ticker in event.tickers):
            name = ticker.product_id.replace("-", "/")
            bid, ask = decimal(ticker.best_bid), decimal(ticker.best_ask)
            if name not in self.names:
                continue
            if bid is None or ask is None:
                fault = f"{name} refused: bid or ask is no price"
                continue
            judged = self._touch.quote(name, bid, ask, at.stamp(event_ms))
            if isinstance(judged, str):
                fault = judged
            else:
                values.append(judged)
        return tuple(values), fault

    def question(self, name: str, world_ms: int) -> Question:
        return Question(f"/products/{_product(name)}/ticker")

    def answer(self, name: str, body: Body, at: Arrival) -> Pushed | str:
        told = decode(body, Asked)
        if isinstance(told, Failed):
            return told.reason
        event_ms, bid, ask = instant_ms(told.time), decimal(told.bid), decimal(told.ask)
        if event_ms is None or bid is None or ask is None:
            return f"{name} refused: its ticker has no {'time' if event_ms is None else 'bid and ask'}"
        return self._asked.quote(name, bid, ask, at.stamp(event_ms))


def _product(name: str) -> str:
    return name.replace("/", "-")


def _command(body: dict[str, Any]) -> bytes:
    return msgspec.json.encode(body)


def feed(wiring: Wiring) -> Feed:
    names = wiring.follows or FOLLOWED
    return ExchangeFeed(wiring, CoinbaseDialogue(wiring.urls["ws"], names, wiring.of.stale_after_s))

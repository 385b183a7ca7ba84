"""Deribit: the DVOL indices and the marks of chosen options, by JSON-RPC over a WebSocket.

DVOL is the implied volatility of the next 30 days, annualised, in percent; a mark's ``mark_iv`` is of its
own expiry. The server wants its ``test_request`` answered with ``public/test`` and else hangs up. Options
expire at 08:00 UTC of the day in their name. Asked by ``GET`` it tells an option's ticker, and DVOL as
candles of a second: the newest one's close, dated by its begin.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from core.domain.text import clean_text
from core.feeds.declaration import Declaration, Family, Probe
from core.feeds.exchange import UNREADABLE, ExchangeDialogue, ExchangeFeed, Question, message_of
from core.feeds.feed import Feed
from core.feeds.fetch import Body, Failed, decode
from core.feeds.quotes import OptionMark, Volatility
from core.feeds.streaming import Arrival, Heard, Pushed
from core.feeds.wiring import Wiring

HEARTBEAT_S = 10
"""The shortest interval the server grants."""
DECLARATION = Declaration(
    name="deribit",
    label="DERIBIT",
    family=Family.MARKETS,
    gives="implied volatility of crypto: DVOL and the marks of chosen options",
    urls={"ws": "wss://www.deribit.com/ws/api/v2", "api": "https://www.deribit.com"},
    every_s=0,
    stale_after_s=10,
    probe=Probe("the index price of BTC", "/api/v2/public/get_index_price", params={"index_name": "btc_usd"}),
)
FOLLOWED = ("DVOL BTC", "DVOL ETH")
DVOL_DAYS = 30
PERCENT = (0.5, 500.0)
"""An annualised volatility outside is a fault."""

CANDLES_MS = 30_000
"""So far back they are asked for: the newest one counts."""
_INDEX = "DVOL "
_OPTION = re.compile(r"[A-Z]{3,5}-(\d{1,2}[A-Z]{3}\d{2})-(\d{1,9})-([CP])", re.ASCII)
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_EXPIRY_HOUR = 8
_HEARTBEAT, _SUBSCRIBE, _TEST = 1, 2, 3
"""Ids of our requests."""


class Data(msgspec.Struct, frozen=True):
    """Of an index or of an instrument's ticker."""

    timestamp: int | None = None
    volatility: float | None = None
    index_name: str = ""
    instrument_name: str = ""
    mark_iv: float | None = None
    underlying_price: float | None = None
    """Of the future of the option's expiry."""


class Params(msgspec.Struct, frozen=True):
    type: str = ""
    channel: str = ""
    data: Data | None = None


class Refusal(msgspec.Struct, frozen=True):
    message: str = ""


class Message(msgspec.Struct, frozen=True):
    """A notification (``method``) or the answer to request ``id``."""

    method: str = ""
    params: Params | None = None
    id: int | None = None
    result: Any = None
    error: Refusal | None = None


class Candles(msgspec.Struct, frozen=True):
    """Time, open, high, low and close of each, in rising order."""

    data: tuple[tuple[int, float, float, float, float], ...] = ()


class AskedIndex(msgspec.Struct, frozen=True):
    result: Candles


class AskedOption(msgspec.Struct, frozen=True):
    result: Data


class Option(msgspec.Struct, frozen=True):
    """What an option's name says."""

    strike: float
    expires_ms: int
    call: bool


_decode = msgspec.json.Decoder(Message).decode


class DeribitDialogue(ExchangeDialogue):
    """See ``Askable``. ``names`` are ``DVOL BTC`` and its like, and options by Deribit's own names."""

    silent_s = 3.0 * HEARTBEAT_S

    def __init__(self, url: str, names: tuple[str, ...], stale_after_s: int) -> None:
        super().__init__(url, names)
        self._stale_after_s = stale_after_s
        self._by_channel = {_channel(name): name for name in names}

    def over(self, name: str, world_ms: int) -> bool:
        option = option_of(name)
        return option is not None and world_ms >= option.expires_ms

    def greet(self) -> tuple[bytes, ...]:
        return (
            _request(_HEARTBEAT, "public/set_heartbeat", {"interval": HEARTBEAT_S}),
            _request(_SUBSCRIBE, "public/subscribe", {"channels": list(self._by_channel)}),
        )

    def hear(self, data: bytes, at: Arrival) -> Heard:
        message = message_of(_decode, data)
        if message is None:
            return UNREADABLE
        if message.error is not None:
            return Heard(fault=clean_text(f"refused: {message.error.message}", 160))
        if message.id == _SUBSCRIBE:
            granted = message.result if isinstance(message.result, list) else []
            refused = [
                name
                for channel, name in self._by_channel.items()
                if channel not in granted and not self.over(name, at.world_ms)
            ]
            return Heard(fault=f"Deribit does not know {', '.join(refused)}" if refused else "")
        if message.params is None:
            return Heard()
        if message.method == "heartbeat":
            asked = message.params.type == "test_request"
            return Heard(replies=(_request(_TEST, "public/test", {}),) if asked else ())
        name = self._by_channel.get(message.params.channel)
        if name is None or message.params.data is None:
            return Heard()
        read = self._read(name, message.params.data, at)
        return Heard(fault=f"{name} refused: {read}") if isinstance(read, str) else Heard((read,))

    def question(self, name: str, world_ms: int) -> Question:
        if not name.startswith(_INDEX):
            return Question("/api/v2/public/ticker", {"instrument_name": name})
        window = {"start_timestamp": f"{world_ms - CANDLES_MS}", "end_timestamp": f"{world_ms}"}
        params = {"currency": name.removeprefix(_INDEX), "resolution": "1"} | window
        return Question("/api/v2/public/get_volatility_index_data", params)

    def answer(self, name: str, body: Body, at: Arrival) -> Pushed | str:
        if not name.startswith(_INDEX):
            ticker = decode(body, AskedOption)
            if isinstance(ticker, Failed):
                return ticker.reason
            read = self._read(name, ticker.result, at)
        else:
            index = decode(body, AskedIndex)
            if isinstance(index, Failed):
                return index.reason
            if not index.result.data:
                return f"{name} refused: there is no candle"
            begins_ms, *_, close = index.result.data[-1]
            read = self._read(name, Data(begins_ms, close), at)
        return f"{name} refused: {read}" if isinstance(read, str) else read

    def _read(self, name: str, data: Data, at: Arrival) -> Pushed | str:
        """The value, or what is wrong with it."""
        if data.timestamp is None:
            return "it has no time"
        stamp, option = at.stamp(data.timestamp), option_of(name)
        if option is None:
            if data.volatility is None or not _plausible(data.volatility):
                return "its volatility is none"
            return Volatility(name, DECLARATION.name, data.volatility, DVOL_DAYS, stamp, self._stale_after_s)
        if data.mark_iv is None or not _plausible(data.mark_iv):
            return "its mark has no volatility"
        if data.underlying_price is None or not 0 < data.underlying_price < 1e12:
            return "its underlying has no price"
        return OptionMark(
            name, DECLARATION.name, data.underlying_price, option.strike, option.expires_ms, option.call,
            data.mark_iv, stamp, self._stale_after_s,
        )  # fmt: skip


def option_of(name: str) -> Option | None:
    """What ``BTC-27NOV26-85000-C`` says; None for a name that is no option's."""
    found = _OPTION.fullmatch(name)
    if found is None:
        return None
    day, strike, kind = found.groups()
    try:
        month = _MONTHS.index(day[-5:-2]) + 1
        expires = datetime(2000 + int(day[-2:]), month, int(day[:-5]), _EXPIRY_HOUR, tzinfo=UTC)
    except ValueError:
        return None
    return Option(float(strike), int(expires.timestamp()) * 1000, kind == "C")


def _channel(name: str) -> str:
    """``agg2``: every two seconds; a faster one wants an account."""
    if name.startswith(_INDEX):
        return f"deribit_volatility_index.{name.removeprefix(_INDEX).lower()}_usd"
    return f"ticker.{name}.agg2"


def _plausible(percent: float) -> bool:
    return PERCENT[0] <= percent <= PERCENT[1]


def _request(number: int, method: str, params: Mapping[str, Any]) -> bytes:
    return msgspec.json.encode({"jsonrpc": "2.0", "id": number, "method": method, "params": params})


def feed(wiring: Wiring) -> Feed:
    names = tuple(dict.fromkeys((*FOLLOWED, *wiring.follows)))
    return ExchangeFeed(wiring, DeribitDialogue(wiring.urls["ws"], names, wiring.of.stale_after_s))

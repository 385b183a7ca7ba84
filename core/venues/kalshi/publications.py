"""What Kalshi publishes beside its markets: the indices its crypto series settle on, and Pyth's prices.

Kalshi API: the channels ``cfbenchmarks_value`` and ``pyth_value``. Values are texts: they are no prices of
ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from core.domain.text import clean_text
from core.venues.published import Mean, Published
from core.venues.wire import Name, WireError, decode, unix_ms

INDICES: Final = "cfbenchmarks_value"
PYTH: Final = "pyth_value"
PUBLISHED: Final[Mapping[str, str]] = {INDICES: "kalshi-indices", PYTH: "kalshi-pyth"}
"""The channels, and what each is called in the configuration. Whatever becomes of one of them, the
connection goes on."""
UNDERLYINGS: Final[Mapping[str, str]] = {
    "EUR/USD": "FX.EUR/USD",
    "GBP/USD": "FX.GBP/USD",
    "USD/JPY": "FX.USD/JPY",
    "XAU/USD": "Metal.XAU/USD",
    "US10Y": "InterestRate.US10Y",
}
"""What Pyth calls the things the desk knows."""
WINDOW_S: Final = 60
QUARTER_MS: Final = 900_000

_NAMES: Final = {underlying: name for name, underlying in UNDERLYINGS.items()}
_NUMBER: Final = re.compile(r"\d{1,15}(?:\.\d{1,18})?", re.ASCII)


class AverageWire(msgspec.Struct, frozen=True):
    value: str
    window_size: int


class IndexWire(msgspec.Struct, frozen=True):
    """One tick of a CF Benchmarks index, what crypto series settle on, with its averages."""

    index_id: Name
    data: str
    """The source's own message, JSON within JSON: its ``time`` is the value's."""
    avg_60s_data: AverageWire
    last_60s_windowed_average_15min: AverageWire | None = None
    """In the last minute before a quarter of an hour alone: the average that settles."""


class IndexTick(msgspec.Struct, frozen=True):
    time: int
    value: str


class PythWire(msgspec.Struct, frozen=True):
    """One price of Pyth's."""

    underlying_ticker: Name
    value_usd: str
    source_ts_ms: int


def index_value(wire: IndexWire) -> Published:
    """Raises ``WireError``."""
    tick = decode(wire.data.encode(), _tick, "index data")
    at_ms = unix_ms(tick.time, "time")
    settling = wire.last_60s_windowed_average_15min
    quarter_ms = -(-at_ms // QUARTER_MS) * QUARTER_MS
    return Published(
        PUBLISHED[INDICES],
        wire.index_id,
        number(tick.value, "value"),
        at_ms,
        mean(wire.avg_60s_data, at_ms),
        None if settling is None else mean(settling, quarter_ms),
    )


def mean(wire: AverageWire, ends_ms: int) -> Mean:
    """Raises ``WireError``."""
    if not 0 <= wire.window_size <= WINDOW_S:
        raise WireError(f"window_size: {wire.window_size} is not from 0 to {WINDOW_S}")
    return Mean(number(wire.value, "average"), wire.window_size, WINDOW_S, ends_ms)


def pyth_value(wire: PythWire) -> Published:
    """Raises ``WireError``."""
    name = _NAMES.get(wire.underlying_ticker, wire.underlying_ticker)
    at_ms = unix_ms(wire.source_ts_ms, "source_ts_ms")
    return Published(PUBLISHED[PYTH], name, number(wire.value_usd, "value_usd"), at_ms)


def number(text: str, field: str) -> float:
    """A value that is no price of ours. Raises ``WireError``."""
    if not _NUMBER.fullmatch(text):
        raise WireError(f"{field}: {clean_text(text, 40)!r} is no positive number")
    return float(text)


_tick = msgspec.json.Decoder(IndexTick)

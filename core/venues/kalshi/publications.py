"""What Kalshi publishes beside its markets: the indices its crypto series settle on, and Pyth's prices.

Kalshi API: the channels ``cfbenchmarks_value`` (a value a second with the averages),
``cfbenchmarks_value_5hz`` (values between the seconds, without) and ``pyth_value``. Values are texts: they
are no prices of ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from core.domain.text import clean_text
from core.venues.published import Mean, Published
from core.venues.wire import Name, Odd, WireError, decode, unix_ms

INDICES: Final = "cfbenchmarks_value"
FAST: Final = "cfbenchmarks_value_5hz"
PYTH: Final = "pyth_value"
PUBLISHED: Final[Mapping[str, str]] = {
    INDICES: "kalshi-indices",
    FAST: "kalshi-indices",
    PYTH: "kalshi-pyth",
}
"""The channels, and what each is called in the configuration. Whatever becomes of one of them, the
connection goes on."""
LISTINGS: Final[Mapping[str, str]] = {INDICES: "indexlist", PYTH: "underlying_list"}
"""What asks which names a channel has; the fast one's are known by the other's."""
UNDERLYINGS: Final[Mapping[str, str]] = {
    "EUR/USD": "FX.EUR/USD",
    "GBP/USD": "FX.GBP/USD",
    "USD/JPY": "FX.USD/JPY",
    "XAU/USD": "Metal.XAU/USD",
    "US10Y": "InterestRate.US10Y",
}
"""What Pyth calls the things the desk knows."""
FAST_INDICES: Final = frozenset({"BRTI", "ETHUSD_RTI", "SOLUSD_RTI", "XRPUSD_RTI", "DOGEUSD_RTI"})
"""Those the fast channel has; of the others a value a second is all there is."""
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


class FastWire(msgspec.Struct, frozen=True):
    """One tick of an index between its seconds."""

    index_id: Name
    value_usd: str
    source_ts_ms: int


class PythWire(msgspec.Struct, frozen=True):
    """One price of Pyth's."""

    underlying_ticker: Name
    value_usd: str
    source_ts_ms: int


class ListWire(msgspec.Struct, frozen=True):
    """The names a channel has; of Pyth's those seen in the last two hours."""

    index_ids: list[Name] = []
    underlying_tickers: list[Name] = []


def desk_name(underlying: str) -> str:
    """What the desk calls one of Pyth's things."""
    return _NAMES.get(underlying, underlying)


def index_value(wire: IndexWire, odd: Odd) -> Published:
    """With its averages; one that cannot be is left out and goes to ``odd``. Raises ``WireError``.

    Two windows of 60 seconds: the rolling one has its first moment and not its last, so it may hold one value
    more; the one that settles has its last and not its first, and at its end holds 60.
    """
    tick = decode(wire.data.encode(), _tick, "index data")
    at_ms = unix_ms(tick.time, "time")
    quarter_ms = -(-at_ms // QUARTER_MS) * QUARTER_MS
    return Published(
        PUBLISHED[INDICES],
        wire.index_id,
        number(tick.value, "value"),
        at_ms,
        mean(wire.avg_60s_data, "avg_60s_data", at_ms, WINDOW_S + 1, odd),
        mean(
            wire.last_60s_windowed_average_15min, "last_60s_windowed_average_15min", quarter_ms, WINDOW_S, odd
        ),
    )


def fast_value(wire: FastWire) -> Published:
    """Raises ``WireError``."""
    at_ms = unix_ms(wire.source_ts_ms, "source_ts_ms")
    return Published(PUBLISHED[FAST], wire.index_id, number(wire.value_usd, "value_usd"), at_ms)


def mean(wire: AverageWire | None, field: str, ends_ms: int, most: int, odd: Odd) -> Mean | None:
    """An average of at most so many values; ``None`` for one that is not there or cannot be."""
    if wire is None:
        return None
    if not 0 <= wire.window_size <= most:
        odd.notes.append(f"{field}: its window_size {wire.window_size} is not from 0 to {most}")
        return None
    try:
        value = number(wire.value, field)
    except WireError as error:
        odd.notes.append(str(error))
        return None
    return Mean(value, min(wire.window_size, WINDOW_S), WINDOW_S, ends_ms)


def pyth_value(wire: PythWire) -> Published:
    """Raises ``WireError``."""
    name = desk_name(wire.underlying_ticker)
    at_ms = unix_ms(wire.source_ts_ms, "source_ts_ms")
    return Published(PUBLISHED[PYTH], name, number(wire.value_usd, "value_usd"), at_ms)


def number(text: str, field: str) -> float:
    """A value that is no price of ours. Raises ``WireError``."""
    if not _NUMBER.fullmatch(text):
        raise WireError(f"{field}: {clean_text(text, 40)!r} is no positive number")
    return float(text)


_tick = msgspec.json.Decoder(IndexTick)

"""The stream's channels and error codes. Kalshi API: WebSocket channels, errors and limits."""

from __future__ import annotations

import enum

import msgspec


class Filter(enum.Enum):
    """What a subscription to a channel may be narrowed to."""

    TICKERS_REQUIRED = "market tickers, at least one"
    TICKERS = "market tickers, or everything"
    NOTHING = "always everything, whatever is named"
    INDICES = "index ids, none to begin with"
    UNDERLYINGS = "underlying tickers, none to begin with"


class Channel(msgspec.Struct, frozen=True):
    """``sequenced``: whether its messages carry numbers; ``by_id``: whether markets may be named by id."""

    sequenced: bool
    filter: Filter
    by_id: bool = False


CHANNELS: dict[str, Channel] = {
    "orderbook_delta": Channel(True, Filter.TICKERS_REQUIRED),
    "ticker": Channel(False, Filter.TICKERS, by_id=True),
    "trade": Channel(True, Filter.TICKERS),
    "fill": Channel(False, Filter.TICKERS),
    "user_orders": Channel(False, Filter.TICKERS),
    "market_positions": Channel(False, Filter.TICKERS),
    "order_group_updates": Channel(True, Filter.NOTHING),
    "market_lifecycle_v2": Channel(True, Filter.NOTHING),
    "multivariate_market_lifecycle": Channel(True, Filter.NOTHING),
    "cfbenchmarks_value": Channel(True, Filter.INDICES),
    "cfbenchmarks_value_5hz": Channel(True, Filter.INDICES),
    "pyth_value": Channel(True, Filter.UNDERLYINGS),
}
"""The channels served. No combos are listed here, so theirs is silent."""

ERRORS = {
    1: "Unable to process message",
    2: "Params required",
    3: "Channels required",
    4: "Subscription IDs required",
    5: "Unknown command",
    7: "Unknown subscription ID",
    8: "Unknown channel name",
    10: "Channel error",
    11: "Invalid parameter",
    12: "Exactly one subscription ID is required",
    13: "Unsupported action",
    14: "Market Ticker required",
    15: "Action required",
    18: "Command timeout",
    24: "Index IDs required",
    25: "Subscription buffer overflow",
    26: "Subscription market limit exceeded",
    27: "Too many requests",
    28: "Underlying tickers required",
}
"""Those that can happen here: 9 is the handshake's business, 19 to 23 are of channels not served."""

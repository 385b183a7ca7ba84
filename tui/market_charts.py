"""What of a market and of the desk is drawn: prices against fair value, depth, the day's result."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from tui.chart import Chart, Run, Series, Unit, ends_of, runs_of, upright_of
from tui.format import spark
from tui.market_answers import Equity, Level, Near, Past, Trade

_TRACE_MARKS = 12
_DOLLAR = 1_000_000
DEPTH_WITHIN = 2_000
"""How far from the touch depth is drawn: 20 cents."""


def price_chart(past: Past) -> Chart | None:
    """Bid, ask and fair value, and what we bought and sold among them; ``None`` while nothing is known."""
    series = (
        Series("bid", "b", "price-up", runs_of(past.times, past.bids)),
        Series("ask", "a", "price-down", runs_of(past.times, past.asks)),
        Series("fair", "f", "fair", runs_of(past.times, past.fairs)),
        Series("bought", "B", "yes", _fills(past.fills, buys=True), joined=False),
        Series("sold", "S", "no", _fills(past.fills, buys=False), joined=False),
    )
    upright, across = upright_of(series, Unit.CENTS), ends_of(past.times, Unit.TIME)
    if upright is None or across is None:
        return None
    return Chart(series, Unit.TIME, Unit.CENTS, across, upright)


def _fills(fills: Sequence[Trade], *, buys: bool) -> tuple[Run, ...]:
    found = sorted((fill.at_world_ms, fill.price) for fill in fills if fill.buys is buys)
    return (Run([at for at, _ in found], [price for _, price in found]),) if found else ()


def depth_chart(near: Near) -> Chart | None:
    """Contracts between the touch and each price, on both sides; ``None`` without a book."""
    bids = [level for level in near.bids if level.price >= near.bids[0].price - DEPTH_WITHIN]
    asks = [level for level in near.asks if level.price <= near.asks[0].price + DEPTH_WITHIN]
    series = (
        Series("bids", "b", "price-up", _bid_depth(bids)),
        Series("asks", "a", "price-down", _ask_depth(asks)),
    )
    across = ends_of((level.price for level in (*bids, *asks)), Unit.CENTS)
    if across is None:
        return None
    top = max(max(run.ys) for one in series for run in one.runs)
    upright = ends_of((0, top), Unit.CONTRACTS)
    return Chart(series, Unit.CENTS, Unit.CONTRACTS, across, upright) if upright is not None else None


def _totals(levels: Sequence[Level]) -> list[int]:
    return list(accumulate(level.quantity for level in levels))


def _ask_depth(levels: Sequence[Level]) -> tuple[Run, ...]:
    return (Run([level.price for level in levels], _totals(levels)),) if levels else ()


def _bid_depth(levels: Sequence[Level]) -> tuple[Run, ...]:
    """From the lowest price up: what a level adds is there up to its own price and not above it."""
    if not levels:
        return ()
    prices, totals = [level.price for level in reversed(levels)], _totals(levels)[::-1]
    return (Run([prices[0], *(price + 1 for price in prices[:-1]), prices[-1]], [*totals, totals[-1]]),)


def equity_chart(equity: Equity) -> Chart | None:
    """The day's result; ``None`` before there is one."""
    across = ends_of(equity.times, Unit.TIME)
    upright = ends_of((0, *equity.made), Unit.DOLLARS)
    if across is None or upright is None:
        return None
    role = "gain" if equity.made[-1] > 0 else "loss" if equity.made[-1] < 0 else "strong"
    result = Series("result", "r", role, (Run(equity.times, equity.made),))
    zero = Series("zero", "0", "text-muted", (Run(across, (0, 0)),))
    return Chart((zero, result), Unit.TIME, Unit.DOLLARS, across, upright)


def day_trace(equity: Equity) -> str:
    """The day's result in one row from its first point to its last; a dollar or more reaches the top."""
    if not equity.made:
        return ""
    first, last = equity.times[0], equity.times[-1]
    marks = (first + (last - first) * at // (_TRACE_MARKS - 1) for at in range(_TRACE_MARKS))
    return spark([equity.made[bisect_right(equity.times, mark) - 1] for mark in marks], _DOLLAR)


def drawdown(equity: Equity) -> int:
    """How far the day's result is below the highest it was, nothing made included."""
    return max(0, *equity.made) - equity.made[-1] if equity.made else 0

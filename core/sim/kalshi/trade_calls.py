"""The public tape."""

from __future__ import annotations

from core.sim.events import Traded
from core.sim.kalshi import shapes
from core.sim.kalshi.call import Answer, Call
from core.sim.kalshi.shapes import Wire


def list_trades(call: Call) -> Answer:
    cutoff_ms = call.venue.archive.trades_created_ms
    return Answer(trade_page(call, [t for t in chosen_trades(call) if t.ts_ms >= cutoff_ms]))


def chosen_trades(call: Call) -> list[Traded]:
    """Prints by the filters every list of them has, newest first. No block trades happen here."""
    ticker, blocks = call.text("ticker"), call.flag("is_block_trade")
    return [
        t
        for t in reversed(call.exchange.trades)
        if (not ticker or t.ticker == ticker) and call.within("min_ts", "max_ts", t.ts_ms) and not blocks
    ]


def trade_page(call: Call, rows: list[Traded]) -> Wire:
    shown, cursor = call.page(rows, lambda t: t.trade_id, most=1000, default=100)
    return {"trades": [shapes.trade(call.exchange, t) for t in shown], "cursor": cursor}

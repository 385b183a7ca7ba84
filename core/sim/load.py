"""The benchmark scenario: synthetic markets and a pump that changes their books at a steady rate.

Each act places or cancels one order of the pump's own, which is exactly one book message to whoever
follows that market.
"""

from __future__ import annotations

import random
import re
from collections import deque

from core.domain.units import Money, Price, contracts
from core.sim.contracts import EventSpec, MarketSpec, SeriesSpec
from core.sim.exchange import BookSide, Exchange, OrderRequest, Placed
from core.sim.scenarios.loader import LoadRules
from core.sim.watch import StreamWatch

PUMP = "sim-pump"
SERIES = "KXLOAD"
_PER_EVENT = 10
_OPEN_FOR_MS = 30 * 86_400_000
_WORKING = 2_000

_SEQUENCE = re.compile(r'"sid":(\d+),"seq":(\d+)')


def list_load(exchange: Exchange, rules: LoadRules, now_ms: int) -> list[str]:
    """List the synthetic markets, each with one wide two-sided quote; their tickers."""
    exchange.open_account(PUMP, Money(10**15))
    exchange.list_series(SeriesSpec(ticker=SERIES, title="Load", category="Synthetic"))
    tickers: list[str] = []
    for first in range(0, rules.markets, _PER_EVENT):
        event = f"{SERIES}-{first // _PER_EVENT:03d}"
        markets = tuple(
            MarketSpec(
                ticker=f"{event}-T{strike}",
                event_ticker=event,
                series_ticker=SERIES,
                title=f"Above {strike}?",
                yes_sub_title=f"Above {strike}",
                strike_type="greater",
                floor_strike=strike,
                open_ms=now_ms,
                close_ms=now_ms + _OPEN_FOR_MS,
                rules_primary="Synthetic market of the load scenario.",
            )
            for strike in range(min(_PER_EVENT, rules.markets - first))
        )
        exchange.list_event(EventSpec(event, SERIES, "Load", "", markets))
        tickers += [market.ticker for market in markets]
    for ticker in tickers:
        for side, price in ((BookSide.BID, 4_000), (BookSide.ASK, 6_000)):
            exchange.place(OrderRequest(PUMP, ticker, side, Price(price), contracts(100)))
    return tickers


class BookLoad:
    """What the pump does here."""

    def __init__(self, exchange: Exchange, tickers: list[str], rng: random.Random) -> None:
        self._exchange, self._tickers, self._rng = exchange, tickers, rng
        self._working: deque[str] = deque()

    def act(self) -> None:
        """Place an order, or cancel the oldest where enough of them work."""
        if len(self._working) >= _WORKING:
            self._exchange.cancel(PUMP, self._working.popleft())
            return
        side = self._rng.choice((BookSide.BID, BookSide.ASK))
        cents = self._rng.randint(30, 45) if side is BookSide.BID else self._rng.randint(55, 70)
        answer = self._exchange.place(
            OrderRequest(
                PUMP,
                self._rng.choice(self._tickers),
                side,
                Price(cents * 100),
                contracts(self._rng.randint(1, 50)),
            )
        )
        assert isinstance(answer, Placed)
        self._working.append(answer.order_id)


def last_sequences(watch: StreamWatch) -> dict[str, dict[str, int]]:
    """The last sequence number of each subscription as it went onto the wire."""
    last: dict[str, int] = {}
    for text in watch.last_sent():
        if match := _SEQUENCE.search(text):
            sid, seq = f"{match[1]}", int(match[2])
            last[sid] = max(seq, last.get(sid, 0))
    return {"last_seq": last}

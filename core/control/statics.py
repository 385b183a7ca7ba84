"""What never changes of the desk's markets, made for those that an answer names: most queries name none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from core.control.rows.markets import static_row
from core.control.tables.markets import MarketStatic
from core.engine.state import DeskState


def static_of(state: DeskState, ticker: str) -> MarketStatic:
    market = state.markets[ticker]
    event = state.events.get(market.market.event_ticker)
    return static_row(market, event.label if event is not None else "")


class Statics(Mapping[int, MarketStatic]):
    """By key, for the time of one answer."""

    def __init__(self, state: DeskState) -> None:
        self._state = state
        self._made: dict[int, MarketStatic] = {}

    @cached_property
    def _tickers(self) -> dict[int, str]:
        return {known.key: ticker for ticker, known in self._state.markets.items()}

    def __getitem__(self, key: int) -> MarketStatic:
        if key not in self._made:
            self._made[key] = static_of(self._state, self._tickers[key])
        return self._made[key]

    def __iter__(self) -> Iterator[int]:
        return iter(self._tickers)

    def __len__(self) -> int:
        return len(self._tickers)

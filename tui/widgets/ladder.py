"""The ladder: a row a tick, what rests there on both sides, our own orders, fair value and touch."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate
from typing import NamedTuple

from core.control.tables.orders import OrderRow
from tui.format import cents, size, tenths
from tui.lines import Line, Span, line
from tui.market_answers import Level, Near
from tui.scene import Scene, note
from tui.widgets.live_table import Column, Key, LiveTable

TICKS_MAX = 1_100
"""Rows of a ladder; on finer grids those with something at them, and the ticks around the touch."""
AROUND = 30
_DOLLAR = 10_000


class Own(NamedTuple):
    """Our working orders at one price of YES."""

    orders: tuple[OrderRow, ...]
    buys: bool
    """Whether they add YES or take NO away."""

    @property
    def leaves(self) -> int:
        return sum(order.leaves for order in self.orders)

    @property
    def ahead(self) -> int | None:
        """Contracts before the first of them, ``None`` where the venue has not said."""
        return min((order.ahead for order in self.orders if order.ahead is not None), default=None)


def in_yes(order: OrderRow) -> tuple[int, bool]:
    """The order's price of YES, and whether it stands among the bids."""
    yes = order.outcome == "YES"
    return (order.price if yes else _DOLLAR - order.price), yes is not order.closes


def own_orders(scene: Scene, key: int) -> dict[int, Own]:
    """Ours by price."""
    found: dict[int, Own] = {}
    for order in scene.view.working():
        if order.key == key:
            price, buys = in_yes(order)
            known = found.get(price)
            found[price] = Own((*(known.orders if known is not None else ()), order), buys)
    return found


def ticks_of(bands: Iterable[tuple[int, int, int]]) -> list[int]:
    """Every price of a grid, the highest first."""
    prices = {price for start, end, step in bands for price in range(start, end + 1, max(1, step))}
    return sorted((price for price in prices if 0 < price < _DOLLAR), reverse=True)


class Ladder(LiveTable):
    """Prices fall from top to bottom. The cursor is a price and stays on it while the book moves."""

    def __init__(self) -> None:
        super().__init__(
            (
                Column("ours", " ours", 11, 1, self._ours, left=True),
                Column("bid_sum", "sum", 6, 4, self._bid_sum),
                Column("bid", "bid", 5, 1, self._bid),
                Column("price", "price", 6, 1, self._price),
                Column("ask", "ask", 5, 1, self._ask),
                Column("ask_sum", "sum", 6, 4, self._ask_sum),
                Column("mark", "", 11, 2, self._mark, left=True, grow=True, width_max=30),
            ),
            id="ladder",
        )
        self._market = 0
        self._bands: tuple[tuple[int, int, int], ...] = ()
        self._ticks: list[int] = []
        self._bids: dict[int, int] = {}
        self._asks: dict[int, int] = {}
        self._sums: dict[int, int] = {}
        self._own: dict[int, Own] = {}
        self._marks: dict[int, list[str]] = {}
        self._step = 100
        self._centred = True
        """Whether the touch was brought into the middle since the market was opened."""

    @property
    def price(self) -> int | None:
        """Of YES, under the cursor."""
        return self.cursor_key if isinstance(self.cursor_key, int) else None

    def order_here(self) -> OrderRow | None:
        """The newest of ours under the cursor."""
        own = self._own.get(self.price) if self.price is not None else None
        return own.orders[0] if own is not None else None

    def show(self, scene: Scene, key: int, near: Near | None) -> None:
        static = scene.view.statics.get(key)
        bands = static.bands if static is not None else ()
        if key != self._market:
            self._market = key
            self.point_at(None)
        if bands != self._bands:
            self._bands, self._ticks = bands, ticks_of(bands)
        self._step = scene.view.step(key)
        self._bids = {level.price: level.quantity for level in near.bids} if near is not None else {}
        self._asks = {level.price: level.quantity for level in near.asks} if near is not None else {}
        self._sums = _summed(near.bids) | _summed(near.asks) if near is not None else {}
        self._own = own_orders(scene, key)
        self._marks = self._marked_prices(scene, key, near)
        keys = self._rows(near)
        if self.price is None and keys and near is not None:
            touch = near.bids[0].price if near.bids else near.asks[0].price if near.asks else None
            self.point_at(touch if touch in keys else keys[len(keys) // 2])
            self._centred = False
        known = near is not None
        empty = [note("Nobody is in the book." if known else "Waiting for the book.")]
        right: Line = ()
        if self.price is not None and keys:
            right = line((f"at {cents(self.price, self._step)}c", "text-muted"))
        self.paint_rows(scene, keys, line(("LADDER", "title")), right, empty=empty)

    def _scroll(self, room: int) -> None:
        if not self._centred and room > 0 and self.cursor_key in self.keys:
            self._top, self._centred = self.keys.index(self.cursor_key) - room // 2, True
        super()._scroll(room)

    def _rows(self, near: Near | None) -> list[int]:
        if near is None:
            return []
        # What rests off the grid is there all the same: a tick size can change under it.
        wanted = {*self._bids, *self._asks, *self._own, *((self.price,) if self.price is not None else ())}
        if len(self._ticks) <= TICKS_MAX:
            return sorted(wanted.union(self._ticks), reverse=True)
        touch = [levels[0].price for levels in (near.bids, near.asks) if levels]
        centre = sum(touch) // len(touch) if touch else _DOLLAR // 2
        around = range(centre - AROUND * self._step, centre + AROUND * self._step + 1)
        return sorted(wanted.union(price for price in self._ticks if price in around), reverse=True)

    def _marked_prices(self, scene: Scene, key: int, near: Near | None) -> dict[int, list[str]]:
        """Words beside prices: the touch, the last trade, and fair value at the tick nearest to it."""
        marks: dict[int, list[str]] = {}
        if near is not None:
            for levels, word in ((near.asks, "ask"), (near.bids, "bid")):
                if levels:
                    marks.setdefault(levels[0].price, []).append(word)
            if near.trades:
                marks.setdefault(near.trades[0].price, []).append("last")
        row = scene.view.markets.get(key)
        if row is not None and row.fair is not None and self._ticks:
            fair = row.fair
            nearest = min(self._ticks, key=lambda price: abs(price - fair))
            marks.setdefault(nearest, []).insert(0, f"fair {tenths(fair)}")
        return marks

    # --- cells ------------------------------------------------------------------------------------

    def _ours(self, scene: Scene, key: Key) -> Span:
        own = self._own.get(_at(key))
        if own is None:
            return Span("")
        ahead = "" if own.ahead is None else f" q{size(own.ahead)}"
        text = f" {'B' if own.buys else 'S'} {size(own.leaves)}{ahead}"
        unknown = any(order.state == "UNKNOWN" for order in own.orders)
        return Span(text + "?" * unknown, "unknown" if unknown else "strong")

    def _bid(self, scene: Scene, key: Key) -> Span:
        return self._quantity(self._bids.get(_at(key)), "price-up")

    def _ask(self, scene: Scene, key: Key) -> Span:
        return self._quantity(self._asks.get(_at(key)), "price-down")

    def _bid_sum(self, scene: Scene, key: Key) -> Span:
        price = _at(key)
        return self._quantity(self._sums.get(price) if price in self._bids else None, "text-muted")

    def _ask_sum(self, scene: Scene, key: Key) -> Span:
        price = _at(key)
        return self._quantity(self._sums.get(price) if price in self._asks else None, "text-muted")

    def _quantity(self, quantity: int | None, role: str) -> Span:
        return Span(size(quantity), role) if quantity else Span("")

    def _price(self, scene: Scene, key: Key) -> Span:
        price = _at(key)
        touch = any(word in ("bid", "ask") for word in self._marks.get(price, ()))
        return Span(cents(price, self._step), "strong" if touch else "text")

    def _mark(self, scene: Scene, key: Key) -> Span:
        words = self._marks.get(_at(key))
        if not words:
            return Span("")
        return Span(" <" + " ".join(words), "fair" if words[0].startswith("fair") else "text-muted")


def _at(key: Key) -> int:
    """The price a row stands for."""
    return key if isinstance(key, int) else 0


def _summed(levels: tuple[Level, ...]) -> dict[int, int]:
    """Contracts from the touch to each level."""
    totals = accumulate(level.quantity for level in levels)
    return {level.price: total for level, total in zip(levels, totals, strict=True)}

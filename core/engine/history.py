"""What prices, fair values and the day's result have been, for whoever draws them. Nothing is decided by it.

Written when something changed, one point in ``EVERY_NS`` at most. A track that is full keeps every other
point and takes half as many from then on: it grows coarser, never longer, and reaches back to its beginning.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.engine.desk import Desk

EVERY_NS = 2_000_000_000
"""Real time between two points of one track at least."""
LOOKS = 500
"""Markets looked at in one tick: of more that changed, the rest waits for the next ones."""
POINTS_MAX = 360
POINTS_MIN = 32
ALL_POINTS_MAX = 400_000
"""Of all markets together, 16 MB: with more markets each has fewer."""
_UNKNOWN = -(2**62)
Figures = tuple[int | None, ...]


class Track:
    """Points of ``width`` figures each over world time, oldest first, in one array."""

    __slots__ = ("_due_ns", "_every_ns", "_values", "_width")

    def __init__(self, width: int) -> None:
        self._width = width
        self.clear()

    def clear(self) -> None:
        self._values = array("q")
        self._every_ns = EVERY_NS
        self._due_ns = 0

    def __len__(self) -> int:
        return len(self._values) // (self._width + 1)

    def due(self, now_ns: int) -> bool:
        """Whether the next point may be taken."""
        return now_ns >= self._due_ns

    def note(self, now_ns: int, world_ms: int, figures: Figures, most: int) -> None:
        """Take a point unless the last one says the same; ``most`` are kept. It begins anew where world time
        was set back."""
        row = [_UNKNOWN if figure is None else figure for figure in figures]
        values, stride = self._values, self._width + 1
        if values and world_ms < values[-stride]:
            self.clear()
            values = self._values
        if values and values[1 - stride :].tolist() == row:
            return
        while len(self) >= most:
            self._thin()
        self._values.append(world_ms)
        self._values.extend(row)
        self._due_ns = now_ns + self._every_ns

    def _thin(self) -> None:
        stride, values = self._width + 1, self._values
        kept = array("q")
        for at in range(len(values) - stride, -1, -2 * stride):
            kept[:0] = values[at : at + stride]
        self._values = kept
        self._every_ns *= 2

    def points(self) -> Iterator[tuple[int, Figures]]:
        """World time in Unix milliseconds and the figures from then on."""
        values, stride = self._values.tolist(), self._width + 1
        for at in range(0, len(values), stride):
            yield values[at], tuple(None if v == _UNKNOWN else v for v in values[at + 1 : at + stride])


class History:
    """Keeps the tracks of the desk's markets, which are in their ``MarketState``, and the day's result."""

    desk: Desk

    def __init__(self) -> None:
        self.result = Track(1)
        """The desk's result of the world day, in millionths of a dollar."""
        self._day = ""
        self._seen = 0
        self._waiting: dict[str, None] = {}
        """Markets that changed and have not been looked at since, in their order."""

    def wire(self, desk: Desk) -> None:
        self.desk = desk

    def tick(self) -> None:
        """Once a second: one point of everything that changed and is due."""
        desk = self.desk
        now_ns, world_ms = desk.clocks.mono_ns(), desk.clocks.world_ms()
        if desk.account.day != self._day:
            self._day = desk.account.day
            self.result.clear()
        if desk.state.today_pnl is not None and self.result.due(now_ns):
            self.result.note(now_ns, world_ms, (desk.state.today_pnl,), POINTS_MAX)
        self._markets(now_ns, world_ms)

    def _markets(self, now_ns: int, world_ms: int) -> None:
        state = self.desk.state
        changed = state.changed_markets.since(self._seen)
        self._seen = state.changed_markets.version
        self._waiting.update(dict.fromkeys(state.markets if changed is None else reversed(changed)))
        most = max(POINTS_MIN, min(POINTS_MAX, ALL_POINTS_MAX // max(1, len(state.markets))))
        for ticker in list(islice(self._waiting, LOOKS)):
            del self._waiting[ticker]
            market = state.markets.get(ticker)
            if market is None:
                continue
            if market.track.due(now_ns):
                market.track.note(now_ns, world_ms, self.figures(ticker), most)
            else:
                self._waiting[ticker] = None

    def figures(self, ticker: str) -> Figures:
        """Best bid and ask, fair value and one standard error of it as they are now, in ten-thousandths of a
        dollar. A model's are told to the tenth of a cent: less is no change worth a point."""
        view, fair = self.desk.seats.book(ticker), self.desk.state.markets[ticker].fair
        known = view is not None and view.intact
        return (
            view.book.best_bid if view is not None and known else None,
            view.book.best_ask if view is not None and known else None,
            round(fair.probability * 1_000) * 10 if fair is not None else None,
            round(fair.sigma * 1_000) * 10 if fair is not None else None,
        )

"""Faults a test or a story switches on by name in front of an honest exchange. All times are real time.

What becomes of a message is told in the words of ``core.sim.fates``, as the campaign's plans tell it;
what the exchange's world does by itself is done to the exchange at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from core.domain.clock import Clock
from core.sim.fates import PLAIN, Answered, AnswerFate, Cut, Delivered, Fate, FrameFate, Lost, RequestFate
from core.sim.fault_kinds import Matter, Point, matter_of_call
from core.sim.polymarket.contracts import FINE_TICK

if TYPE_CHECKING:
    from core.sim.polymarket.call import Venue

UNHEARD_OF = "the moon is in the wrong house for this order"
_INTERNAL = b'{"error":"Internal server error"}'
_REORDER_MS = 1_000


class _Strike(msgspec.Struct):
    """What happens to messages about ``matters`` at a point, ``left`` times or without end."""

    point: Point
    matters: frozenset[Matter] | None
    fate: Fate
    left: int | None = None
    every: int = 1
    """Only every so manieth message is struck."""
    seen: int = 0

    def strikes(self, point: Point, matter: Matter) -> bool:
        if point is not self.point or (self.matters is not None and matter not in self.matters):
            return False
        self.seen += 1
        if self.left == 0 or self.seen % self.every:
            return False
        if self.left is not None:
            self.left -= 1
        return True


_CREATES = frozenset({Matter.CREATE})


class Faults:
    """The switchboard of one venue: ``flip`` by name, ``end`` by name."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._strikes: dict[str, _Strike] = {}
        self._venue: Venue | None = None
        self.skew_ms = 0
        """How far the venue's clock is from ours."""
        self.stale_books = self.bogus_books = False
        self.beats_to_reject = 0

    def connect(self, venue: Venue) -> None:
        """The venue that world faults act on."""
        self._venue = venue

    @property
    def venue(self) -> Venue:
        assert self._venue is not None
        return self._venue

    def flip(self, name: str, value: float = 1.0) -> None:
        """Switch a fault on; ``value`` is its number where it has one. ``ValueError`` for an unknown name."""
        if name in STRIKES:
            self._strikes[name] = STRIKES[name](value)
        elif name in SETTINGS:
            SETTINGS[name](self, value)
        elif name in EVENTS:
            EVENTS[name](self, value)
        else:
            raise ValueError(f"no fault is called {name!r}: one of {', '.join(sorted(SWITCHES))}")

    def end(self, name: str) -> None:
        """Switch a fault off that lasts; what it did to the exchange stays done."""
        self._strikes.pop(name, None)
        if name in SETTINGS:
            SETTINGS[name](self, _NEUTRAL.get(name, 0.0))

    def request(self, method: str, path: str) -> RequestFate:
        return self._fate(Point.REQUEST, matter_of_call(method, path))  # type: ignore[return-value]  # by its point

    def answer(self, method: str, path: str) -> AnswerFate:
        return self._fate(Point.ANSWER, matter_of_call(method, path))  # type: ignore[return-value]  # by its point

    def frame(self, matter: Matter) -> FrameFate:
        return self._fate(Point.FRAME, matter)  # type: ignore[return-value]  # by its point

    def now_ms(self) -> int:
        """The venue's own clock."""
        return self._clock.wall_ms() + self.skew_ms

    def _fate(self, point: Point, matter: Matter) -> Fate:
        for strike in self._strikes.values():
            if strike.strikes(point, matter):
                return strike.fate
        return PLAIN


def _strikes_orders(point: Point, fate: Fate) -> Callable[[float], _Strike]:
    """One fate for the next so many orders."""
    return lambda count: _Strike(point, _CREATES, fate, left=int(count))


STRIKES: dict[str, Callable[[float], _Strike]] = {
    "accept_then_hang": _strikes_orders(Point.ANSWER, Lost()),
    "drop_before_accept": _strikes_orders(Point.REQUEST, Cut(0.0)),
    "late_accept": lambda seconds: _Strike(Point.REQUEST, _CREATES, Delivered(int(seconds * 1000)), left=1),
    "500_after_accept": _strikes_orders(Point.ANSWER, Answered(500, _INTERNAL)),
    "500_before_accept": _strikes_orders(Point.REQUEST, Answered(500, _INTERNAL)),
    "unknown_error_text": _strikes_orders(
        Point.REQUEST, Answered(400, msgspec.json.encode({"error": UNHEARD_OF}))
    ),
    "goaway_at": lambda count: _Strike(Point.REQUEST, None, Cut(0.0), every=int(count)),
    "ws_freeze": lambda _: _Strike(Point.FRAME, None, Lost()),
    "ws_gap": lambda count: _Strike(Point.FRAME, None, Lost(), left=int(count)),
    "ws_dup": lambda _: _Strike(Point.FRAME, None, Delivered(copies=2)),
    "ws_reorder": lambda _: _Strike(Point.FRAME, None, Delivered(_REORDER_MS, overtakes=True), every=2),
}
"""What messages meet, by name; the number is a count or seconds."""


def _stale_books(faults: Faults, on: float) -> None:
    faults.stale_books = bool(on)


def _bogus_books(faults: Faults, on: float) -> None:
    faults.bogus_books = bool(on)


def _ghosts(faults: Faults, share: float) -> None:
    faults.venue.exchange.settlement.pace.fail_share = share


def _lag(faults: Faults, seconds: float) -> None:
    faults.venue.exchange.balance_lag_ms = int(seconds * 1000)


def _reject_beats(faults: Faults, count: float) -> None:
    faults.beats_to_reject = int(count)


def _squeeze(faults: Faults, factor: float) -> None:
    faults.venue.edge.squeeze = factor


def _skew(faults: Faults, seconds: float) -> None:
    faults.skew_ms = int(seconds * 1000)


SETTINGS: dict[str, Callable[[Faults, float], None]] = {
    "stale_rest_book": _stale_books,
    "bogus_rest_book": _bogus_books,
    "ghost_fill": _ghosts,
    "balance_lag": _lag,
    "heartbeat_reject": _reject_beats,
    "slow_throttle": _squeeze,
    "clock_skew": _skew,
}
"""What stays so until it is ended; the number is a share, seconds, a count or a factor."""
_NEUTRAL = {"slow_throttle": 1.0}
"""The number that ends a setting, where it is not 0."""


def _restart(faults: Faults, seconds: float) -> None:
    exchange = faults.venue.exchange
    exchange.engine.restart(exchange.clock.wall_ms(), int(seconds * 1000))


def _flip_ticks(faults: Faults, _: float) -> None:
    exchange = faults.venue.exchange
    for market in exchange.markets.values():
        if market.tradeable and market.tick != FINE_TICK:
            exchange.flip_tick(market.condition_id, FINE_TICK)


def _clear_books(faults: Faults, _: float) -> None:
    exchange = faults.venue.exchange
    for market in exchange.markets.values():
        if market.spec.clears_on_start and market.tradeable:
            exchange.clear_book(market.condition_id)


def _resolve(faults: Faults, outcome: float) -> None:
    """Resolve the first open market: 0 for YES, 1 for NO, 0.5 for half each."""
    exchange = faults.venue.exchange
    market = next((m for m in exchange.markets.values() if m.payouts is None), None)
    if market is not None:
        exchange.resolve(market.condition_id, None if outcome == 0.5 else int(outcome))


EVENTS: dict[str, Callable[[Faults, float], None]] = {
    "restart": _restart,
    "tick_flip": _flip_ticks,
    "clear_book_on_start": _clear_books,
    "resolve": _resolve,
}
"""What happens to the exchange at once."""

SWITCHES = frozenset({*STRIKES, *SETTINGS, *EVENTS})
"""Every fault by name."""

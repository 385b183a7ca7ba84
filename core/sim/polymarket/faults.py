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
        if name not in SWITCHES:
            raise ValueError(f"no fault is called {name!r}: one of {', '.join(sorted(SWITCHES))}")
        SWITCHES[name](self, value)

    def end(self, name: str) -> None:
        """Switch a fault off that lasts; what it did to the exchange stays done."""
        self._strikes.pop(name, None)
        if name in _ENDINGS:
            _ENDINGS[name](self)

    def strike(
        self,
        name: str,
        point: Point,
        fate: Fate,
        *,
        matters: frozenset[Matter] | None = None,
        left: int | None = None,
        every: int = 1,
    ) -> None:
        self._strikes[name] = _Strike(point, matters, fate, left, every)

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


def _ghosts(faults: Faults, share: float) -> None:
    faults.venue.exchange.settlement.pace.fail_share = share


def _lag(faults: Faults, seconds: float) -> None:
    faults.venue.exchange.balance_lag_ms = int(seconds * 1000)


def _restart(faults: Faults, seconds: float) -> None:
    faults.venue.exchange.engine.restart(faults.now_ms(), int(seconds * 1000))


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
    market = next(m for m in exchange.markets.values() if m.payouts is None)
    exchange.resolve(market.condition_id, None if outcome == 0.5 else int(outcome))


def _set(name: str, convert: Callable[[float], object]) -> Callable[[Faults, float], None]:
    return lambda faults, value: setattr(faults, name, convert(value))


def _squeeze(faults: Faults, factor: float) -> None:
    faults.venue.edge.squeeze = factor


SWITCHES: dict[str, Callable[[Faults, float], None]] = {
    "accept_then_hang": lambda f, n: f.strike(
        "accept_then_hang", Point.ANSWER, Lost(), matters=_CREATES, left=int(n)
    ),
    "drop_before_accept": lambda f, n: f.strike(
        "drop_before_accept", Point.REQUEST, Cut(0.0), matters=_CREATES, left=int(n)
    ),
    "late_accept": lambda f, s: f.strike(
        "late_accept", Point.REQUEST, Delivered(int(s * 1000)), matters=_CREATES, left=1
    ),
    "500_after_accept": lambda f, n: f.strike(
        "500_after_accept", Point.ANSWER, Answered(500, _INTERNAL), matters=_CREATES, left=int(n)
    ),
    "500_before_accept": lambda f, n: f.strike(
        "500_before_accept", Point.REQUEST, Answered(500, _INTERNAL), matters=_CREATES, left=int(n)
    ),
    "unknown_error_text": lambda f, n: f.strike(
        "unknown_error_text",
        Point.REQUEST,
        Answered(400, msgspec.json.encode({"error": UNHEARD_OF})),
        matters=_CREATES,
        left=int(n),
    ),
    "goaway_at": lambda f, n: f.strike("goaway_at", Point.REQUEST, Cut(0.0), every=int(n)),
    "ws_freeze": lambda f, _: f.strike("ws_freeze", Point.FRAME, Lost()),
    "ws_gap": lambda f, n: f.strike("ws_gap", Point.FRAME, Lost(), left=int(n)),
    "ws_dup": lambda f, _: f.strike("ws_dup", Point.FRAME, Delivered(copies=2)),
    "ws_reorder": lambda f, _: f.strike(
        "ws_reorder", Point.FRAME, Delivered(_REORDER_MS, overtakes=True), every=2
    ),
    "stale_rest_book": _set("stale_books", bool),
    "bogus_rest_book": _set("bogus_books", bool),
    "ghost_fill": _ghosts,
    "balance_lag": _lag,
    "restart": _restart,
    "tick_flip": _flip_ticks,
    "clear_book_on_start": _clear_books,
    "resolve": _resolve,
    "heartbeat_reject": _set("beats_to_reject", int),
    "slow_throttle": _squeeze,
    "clock_skew": lambda f, s: setattr(f, "skew_ms", int(s * 1000)),
}
"""Every fault by name; the number is a count, seconds, a share or a factor, as its name has it."""

_ENDINGS: dict[str, Callable[[Faults], None]] = {
    "stale_rest_book": lambda f: setattr(f, "stale_books", False),
    "bogus_rest_book": lambda f: setattr(f, "bogus_books", False),
    "ghost_fill": lambda f: _ghosts(f, 0.0),
    "balance_lag": lambda f: _lag(f, 0.0),
    "heartbeat_reject": lambda f: setattr(f, "beats_to_reject", 0),
    "slow_throttle": lambda f: _squeeze(f, 1.0),
    "clock_skew": lambda f: setattr(f, "skew_ms", 0),
}

"""The hands on the desk: one strategy that wants everything, one operator who presses everything.

Every order goes through the real gate and gateway, every command through the engine's own methods
(``keys.py``). What a hand does next is drawn from its own stream and from what the desk shows.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import msgspec

from core.domain.fees import UnknownFeeError, estimate
from core.domain.market import Market
from core.domain.order import BookSide, Purpose, TimeInForce
from core.domain.units import Money, Price, Quantity
from core.engine.engine import Engine
from core.engine.state import ALL_STRATEGIES, Mode
from core.execution.differences import About
from core.execution.gateway import Wish
from core.strategy.proposal import Candidate, FeeRole, Sizing
from tests.simulation import keys
from tests.simulation.keys import LOT, TRADER, a_market, touch_of

WEIGHTS: dict[str, float] = {"rest": 55.0, "cross": 6.0, "take": 8.0, "close": 14.0, **keys.WEIGHTS}
"""How often a hand does what, before a run's habits change it."""


SALES = (TimeInForce.IOC, TimeInForce.IOC, TimeInForce.FOK, TimeInForce.GTC)
"""How what is held is sold where the venue does not bound a sale by it, now and then by an exit that rests.
Elsewhere it is always sold at once."""


class Habits(msgspec.Struct, frozen=True):
    """How one run's hands are: actions a second, and how often each is chosen."""

    orders_per_s: float
    weights: dict[str, float]

    @staticmethod
    def drawn(rng: random.Random, venues: int = 1) -> Habits:
        """Swarm style: each habit is strong, weak or missing in a run. So many venues keep them so busy."""
        weights = {name: weight * rng.choice((0.0, 0.5, 1.0, 1.0, 3.0)) for name, weight in WEIGHTS.items()}
        weights["rest"] = max(weights["rest"], 5.0)
        return Habits(venues * rng.choice((8.0, 16.0, 24.0)), weights)


class Hands:
    """Acts on whatever engine lives."""

    def __init__(
        self, rng: random.Random, habits: Habits, page: Callable[[str], str] = lambda client: ""
    ) -> None:
        """``page``: the venue's id of one of our orders as a person finds it there, empty where it is not."""
        self._rng = rng
        self.habits = habits
        self._names = list(habits.weights)
        self._weights = list(habits.weights.values())
        self._acts: dict[str, Callable[[Engine], None]] = {
            "rest": self._rest,
            "cross": self._cross,
            "take": self._take,
            "close": self._close,
            "resolve": lambda engine: keys.resolve(rng, engine, page),
        }

    def act(self, engine: Engine) -> None:
        """One thing."""
        if not engine.state.ready:
            return
        self.do(self._rng.choices(self._names, self._weights)[0], engine)

    def do(self, name: str, engine: Engine) -> None:
        """The act of that name in ``WEIGHTS``."""
        order = self._acts.get(name)
        if order is not None:
            order(engine)
        else:
            keys.KEYS[name](self._rng, engine)

    def help(self, engine: Engine) -> None:
        """What an operator does about a desk that stands still: come back, resume, let entries go on."""
        state = engine.state
        if not state.ready:
            return
        if not state.controller:
            engine.controller_attached(TRADER)
        self._repair(engine)
        if engine.arming is not None and not state.armed:
            engine.arm(engine.arming.phrase, "for the day", TRADER)
        if not state.halts.standing and ALL_STRATEGIES in state.paused:
            engine.unpause("", "unpause", TRADER)

    def calm(self, engine: Engine) -> None:
        """Nothing new: halts are looked at and lifted, entries stay paused."""
        if not engine.state.ready:
            return
        if not engine.state.controller:
            engine.controller_attached(TRADER)
        if engine.state.mode is Mode.AUTO:
            engine.set_mode("semi", "", "", TRADER)
        self._repair(engine)
        if ALL_STRATEGIES not in engine.state.paused:
            engine.pause("", TRADER)

    def _repair(self, engine: Engine) -> None:
        """See every alarm, take the venue's count where the two differ, go on."""
        engine.acknowledge_all(TRADER)
        standing = [d for seat in engine.desk.seats.values() for d in seat.reconciler.differences.items()]
        for key, difference in standing:
            if difference.acted and key.about in (About.POSITION, About.CASH):
                engine.accept(key.ticker or "cash", "accept", "the venue is right", TRADER)
        if engine.state.halts.standing:
            engine.resume("resume", "looked at it", TRADER)

    # --- orders -------------------------------------------------------------------------------

    def _open_side(self, engine: Engine, ticker: str) -> BookSide:
        net = engine.desk.ledger.net(ticker)
        if net and self._rng.random() < 0.95:
            return BookSide.BID if net > 0 else BookSide.ASK
        against = [
            o.intent.side for o in engine.desk.ledger.live_in(ticker) if o.intent.purpose is Purpose.OPEN
        ]
        return against[0] if against and self._rng.random() < 0.95 else self._rng.choice(list(BookSide))

    def _size(self, least: Quantity) -> Quantity:
        size = self._rng.choice((LOT, 50 * LOT, 100 * LOT, 500 * LOT, 1_000 * LOT, 2_537 * LOT))
        return Quantity(size if size >= 2 * least else size + least)

    def _rest(self, engine: Engine) -> None:
        """Join a side of the book, or stand behind it."""
        ticker = a_market(self._rng, engine)
        touch = touch_of(engine, ticker)
        if touch is None:
            return
        side = self._open_side(engine, ticker)
        price = touch[0] if side is BookSide.BID else touch[1]
        behind = self._rng.choice((0, 0, 100, 200)) * side.sign
        lifetime = self._rng.choice((1, 1, 2, 5, 15, 30, 120))
        self._open(
            engine, ticker, side, Price(price - behind), TimeInForce.GTC, post_only=True, lifetime=lifetime
        )

    def _cross(self, engine: Engine) -> None:
        """A limit order that takes what is there and rests with the remainder."""
        self._reaching(engine, TimeInForce.GTC)

    def _take(self, engine: Engine) -> None:
        self._reaching(engine, self._rng.choice((TimeInForce.IOC, TimeInForce.IOC, TimeInForce.FOK)))

    def _reaching(self, engine: Engine, tif: TimeInForce) -> None:
        ticker = a_market(self._rng, engine)
        touch = touch_of(engine, ticker)
        if touch is not None:
            side = self._open_side(engine, ticker)
            price = touch[1] if side is BookSide.BID else touch[0]
            self._open(engine, ticker, side, price, tif, post_only=False)

    def _open(
        self,
        engine: Engine,
        ticker: str,
        side: BookSide,
        price: Price,
        tif: TimeInForce,
        *,
        post_only: bool,
        lifetime: int = 120,
    ) -> None:
        known = engine.state.markets[ticker]
        if known.fair is not None and 0 < price < 10_000:
            size = self._size(known.market.minimum)
            wanted = _candidate(engine, ticker, side, Purpose.OPEN, price, size, tif, post_only, lifetime)
            engine.desk.seat(wanted.ticker).gateway.send(Wish(wanted))

    def _close(self, engine: Engine) -> None:
        """Sell part of something that is held."""
        held = sorted(engine.desk.ledger.held)
        if not held:
            return
        ticker = self._rng.choice(held)
        free, touch = engine.desk.ledger.closable(ticker), touch_of(engine, ticker)
        known = engine.state.markets.get(ticker)
        if not free or touch is None or known is None:
            return
        part = max(LOT, int(free * self._rng.choice((0.2, 0.5, 1.0))) // LOT * LOT)
        part = min(free, max(part, known.market.minimum))
        side = BookSide.ASK if engine.desk.ledger.net(ticker) > 0 else BookSide.BID
        price = touch[0] if side is BookSide.ASK else touch[1]
        seat = engine.desk.seat(ticker)
        tif = TimeInForce.IOC if seat.traits.reduce_only else self._rng.choice(SALES)
        if tif is TimeInForce.GTC:
            keys.KEYS["exit at"](self._rng, engine)
            return
        wanted = _candidate(engine, ticker, side, Purpose.CLOSE, price, Quantity(part), tif, False, 120)
        seat.gateway.send(Wish(wanted))


def _fee(market: Market, price: Price, quantity: Quantity) -> Money:
    """What a taker is set aside for; nothing where nobody could say, for there nothing leaves."""
    try:
        return estimate(market.fees, price, quantity, is_taker=True)
    except UnknownFeeError:
        return Money(0)


def _candidate(
    engine: Engine,
    ticker: str,
    side: BookSide,
    purpose: Purpose,
    price: Price,
    quantity: Quantity,
    tif: TimeInForce,
    post_only: bool,
    lifetime_s: int,
) -> Candidate:
    known = engine.state.markets[ticker]
    fair = known.fair
    return Candidate(
        ticker=ticker,
        event_ticker=known.market.event_ticker,
        strategy="weather",
        side=side,
        purpose=purpose,
        price=price,
        quantity=quantity,
        tif=tif,
        post_only=post_only,
        reduce_only=purpose is Purpose.CLOSE,
        fee_role=FeeRole.MAKER if post_only else FeeRole.TAKER,
        fee=_fee(known.market, price, quantity) if not post_only else Money(0),
        edge=Price(0),
        edge_half=Price(0),
        fair=fair.probability if fair is not None else 0.5,
        sigma=fair.sigma if fair is not None else 0.1,
        model=fair.model if fair is not None else "",
        model_version=fair.version if fair is not None else "",
        sizing=Sizing(0.0, 0.0, "hand"),
        why="",
        against="",
        lifetime_s=lifetime_s,
    )

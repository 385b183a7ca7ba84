"""The benchmark scenario on this venue: synthetic markets, and acts that change their books.

Each act is one price change to whoever follows the market. What it entails comes on top: the best prices
where they moved, and after a trade its print and the whole book.
"""

from __future__ import annotations

import itertools
import random
from collections import deque

from core.domain.units import Money, Price, contracts
from core.sim.orders import BookSide
from core.sim.polymarket import chain
from core.sim.polymarket.contracts import FREE, EventSpec, MarketSpec, Version
from core.sim.polymarket.exchange import Exchange
from core.sim.polymarket.orders import Order, OrderRequest, OrderType, Side
from core.sim.polymarket.trading import Placed
from core.sim.polymarket.typed_data import SignatureType
from core.sim.scenarios.loader import LoadRules

PUMP, TAKER = "0x" + "50" * 20, "0x" + "51" * 20
TAG = "load"
_TAGS = ((900, "Load", TAG),)
_PER_EVENT = 10
_OPEN_FOR_MS = 30 * 86_400_000
_FIRST_NUMBER = 800_000
_CASH = Money(10**15)
_WORKING = 4_000
_TRADE_SHARE = 0.02
_LOT = 5
"""What a trade takes; every order is a multiple of it, so that a trade changes one level."""


def list_load(exchange: Exchange, rules: LoadRules, now_ms: int) -> list[tuple[str, str]]:
    """List the synthetic markets; the tokens of each, YES first."""
    for address in (PUMP, TAKER):
        exchange.open_wallet(address, address, SignatureType.EOA, _CASH)
    tokens: list[tuple[str, str]] = []
    for first in range(0, rules.markets, _PER_EVENT):
        name = f"{TAG}-{first // _PER_EVENT:03d}"
        markets = tuple(
            _market(f"{name}-above-{strike}", first + strike, strike, now_ms)
            for strike in range(min(_PER_EVENT, rules.markets - first))
        )
        number = _FIRST_NUMBER + rules.markets + first
        exchange.list_event(EventSpec(number, name, "Load", "", markets, neg_risk=False, tags=_TAGS))
        tokens += [market.tokens for market in markets]
    return tokens


def _market(slug: str, number: int, strike: int, now_ms: int) -> MarketSpec:
    condition = chain.condition_v1(slug)
    return MarketSpec(
        number=_FIRST_NUMBER + number,
        slug=slug,
        question=f"Above {strike}?",
        description="Synthetic market of the load scenario.",
        condition_id=condition,
        tokens=chain.tokens_v1(condition),
        version=Version.V1,
        neg_risk=False,
        opens_ms=now_ms,
        ends_ms=now_ms + _OPEN_FOR_MS,
        fee=FREE,
    )


class BookLoad:
    """What the pump does here. Every market starts with one wide two-sided quote."""

    def __init__(self, exchange: Exchange, tokens: list[tuple[str, str]], rng: random.Random) -> None:
        self._exchange, self._tokens, self._rng = exchange, tokens, rng
        self._working: deque[Order] = deque()
        self._numbers = itertools.count(1)
        for pair in tokens:
            for side in BookSide:
                self._place(PUMP, pair, side, 40 if side is BookSide.BID else 60, 1_000_000)

    def act(self) -> None:
        """Place an order, cancel the oldest where enough of them work, or now and then trade."""
        pair, side = self._rng.choice(self._tokens), self._rng.choice((BookSide.BID, BookSide.ASK))
        if self._rng.random() < _TRADE_SHARE:
            self._place(TAKER, pair, side, 60 if side is BookSide.BID else 40, _LOT)
        elif len(self._working) < _WORKING or not self._cancel():
            cents = self._rng.randint(30, 45) if side is BookSide.BID else self._rng.randint(55, 70)
            self._working.append(self._place(PUMP, pair, side, cents, _LOT * self._rng.randint(2, 10)))

    def _cancel(self) -> bool:
        """Whether the oldest order still was there to be cancelled."""
        order = self._working.popleft()
        return self._exchange.cancel(order.owner, order.order_id) is None

    def _place(self, who: str, pair: tuple[str, str], side: BookSide, cents: int, shares: int) -> Order:
        """In YES terms; offers buy NO, so that nobody needs tokens."""
        outcome = 0 if side is BookSide.BID else 1
        answer = self._exchange.place(
            OrderRequest(
                "0x" + chain.keccak(f"{who} {next(self._numbers)}".encode()).hex(),
                who,
                who,
                pair[outcome],
                Side.BUY,
                OrderType.FAK if who == TAKER else OrderType.GTC,
                Price(100 * (cents if outcome == 0 else 100 - cents)),
                contracts(shares),
            )
        )
        assert isinstance(answer, Placed)
        return answer.order

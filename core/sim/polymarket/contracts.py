"""What the simulated Polymarket lists: events and their yes/no markets, of both generations.

``opens_ms`` and ``ends_ms`` are world time in Unix milliseconds; everything machines do is real time.
"""

from __future__ import annotations

from collections import deque
from enum import Enum

import msgspec

from core.domain.units import Money, Price, Quantity, contracts
from core.sim.polymarket import chain, typed_data
from core.sim.polymarket.typed_data import OrderDomain

MIN_SIZE = contracts(5)
CENT = Price(100)
FINE_TICK = Price(10)
"""A tenth of a cent: the grid of markets that are almost decided."""
FINE_BELOW, FINE_ABOVE = Price(400), Price(9_600)
"""YES prices beyond which a market moves to that grid."""
PRINTS_MAX = 20_000
"""Trades of a market whose prices are remembered; the oldest go first."""
_FEE_STEP = 10
"""Fees are whole hundred-thousandths of a dollar."""


class Version(Enum):
    V1 = "v1"
    V2 = "v2"


class Fee(msgspec.Struct, frozen=True):
    """What takers pay: ``rate`` in ten-thousandths, times (p (1 - p)) to the ``exponent``."""

    category: str
    rate: int
    exponent: int = 1
    rebate_percent: int = 25

    def of(self, shares: int, price: int) -> Money:
        """The fee of one fill, floored at five decimals (Polymarket docs: fees)."""
        exact = shares * self.rate * (price * (10_000 - price)) ** self.exponent
        return Money(exact // (10**4 * 10 ** (8 * self.exponent) * _FEE_STEP) * _FEE_STEP)


WEATHER_FEE = Fee("weather", 500)
FREE = Fee("free", 0)


class MarketSpec(msgspec.Struct, frozen=True):
    """One yes/no question. ``tokens`` are its outcomes' ids, YES first."""

    number: int
    slug: str
    question: str
    description: str
    condition_id: str
    tokens: tuple[str, str]
    version: Version
    neg_risk: bool
    opens_ms: int
    ends_ms: int
    group_title: str = ""
    resolution_source: str = ""
    tick: Price = CENT
    min_size: Quantity = MIN_SIZE
    fee: Fee = WEATHER_FEE
    outcomes: tuple[str, str] = ("Yes", "No")
    delay_s: int = 0
    """Marketable orders wait so long before they match, as on sports markets."""
    holds_takers: bool = False
    """Marketable orders are held for a moment inside their request, as on crypto markets."""
    clears_on_start: bool = False
    refines: bool = False
    """Whether its grid becomes finer by itself once a trade says that it is almost decided."""

    @property
    def question_id(self) -> str:
        return "0x" + chain.keccak(f"question {self.condition_id}".encode()).hex()

    @property
    def domain(self) -> OrderDomain:
        """The exchange contract its orders are signed for."""
        if self.version is Version.V2:
            return typed_data.V3
        return typed_data.NEG_RISK if self.neg_risk else typed_data.STANDARD


class EventSpec(msgspec.Struct, frozen=True):
    """Markets under one title; where ``neg_risk``, exactly one of them can win."""

    number: int
    slug: str
    title: str
    description: str
    markets: tuple[MarketSpec, ...]
    neg_risk: bool
    resolution_source: str = ""
    tags: tuple[tuple[int, str, str], ...] = ((84, "Weather", "weather"),)
    """Id, label and slug of each."""
    series_slug: str = ""

    @property
    def neg_risk_market_id(self) -> str:
        return "0x" + chain.keccak(f"neg-risk {self.slug}".encode()).hex() if self.neg_risk else ""


class Resolution(Enum):
    """Where a market's outcome stands; the words of the Data API."""

    INITIALIZED = "initialized"
    PROPOSED = "proposed"
    RESOLVED = "resolved"


class Print(msgspec.Struct, frozen=True):
    """The last trade: price and side as of its own token."""

    token_id: str
    price: Price
    buys: bool


class Market(msgspec.Struct):
    """The moving part of one market; changed by the exchange only."""

    spec: MarketSpec
    event: EventSpec
    tick: Price
    created_ms: int
    accepting: bool = True
    closed: bool = False
    resolution: Resolution = Resolution.INITIALIZED
    payouts: tuple[Money, Money] | None = None
    """What a share of each outcome pays, once it is resolved."""
    proposed: int | None = None
    """The outcome somebody has asserted."""
    resolved_ms: int | None = None
    last: Print | None = None
    volume: Money = Money(0)
    vault: Money = Money(0)
    """Collateral behind its outstanding pairs."""
    history: deque[tuple[int, Price]] = msgspec.field(default_factory=lambda: deque(maxlen=PRINTS_MAX))
    """Real time and YES price of its trades."""

    @property
    def condition_id(self) -> str:
        return self.spec.condition_id

    @property
    def tradeable(self) -> bool:
        return self.accepting and not self.closed

    def outcome_of(self, token_id: str) -> int:
        return self.spec.tokens.index(token_id)

    def last_of(self, token_id: str) -> tuple[Price, bool] | None:
        """Price and side of the last trade as the token's own book shows it."""
        if self.last is None:
            return None
        if self.last.token_id == token_id:
            return self.last.price, self.last.buys
        return Price(10_000 - self.last.price), not self.last.buys

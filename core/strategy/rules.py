"""What the strategy is told: a market as it stands, the room limits leave, and the rules it plays by."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from core.domain.book import Book
from core.domain.market import Market
from core.domain.position import Position
from core.domain.units import Money, Price, Quantity, contracts
from core.models.fair_value import FairValue


class MarketView(msgspec.Struct, frozen=True):
    """One market with its live book and what we have in it."""

    market: Market
    book: Book
    position: Position = Position()
    opening_bid: Quantity = Quantity(0)
    """Contracts our unfinished opening bids may still buy (YES)."""
    opening_ask: Quantity = Quantity(0)
    """Contracts our unfinished opening asks may still sell (buys NO)."""
    opening_cost: Money = Money(0)
    """The most these unfinished entries may still cost."""
    sellable: Quantity = Quantity(0)
    """Held contracts not already promised to a closing order."""
    stale: str = ""
    """Why book or position may not be acted on now; empty when they may."""


class Headroom(msgspec.Struct, frozen=True):
    """What the limits still allow, worst-case loss for each scope. Built by risk, read here."""

    bankroll: Money
    """Equity that Kelly fractions refer to."""
    elsewhere: Money
    """Worst-case loss of all other events."""
    cash: Money
    """Free cash above the reserve."""
    order_quantity: Quantity
    order_cost: Money
    market: Mapping[str, Money]
    """By ticker; a market that is missing has none."""
    event: Money
    source: str
    """What the event's markets settle on together with others, by name."""
    correlated: Money
    """Of all markets on that source and day."""
    venue: Money
    total: Money
    open_orders: int
    """Orders that may still be opened."""


class Believed(msgspec.Struct, frozen=True):
    """What the model says of a market now, for what is held there."""

    fair: FairValue | None
    """``None`` where there is no price."""
    last: FairValue | None = None
    """The newest there was."""
    invalid: str = ""
    """Why the model may not be trusted with a position any more; empty while it may, or may again soon."""


class EntryRules(msgspec.Struct, frozen=True):
    """Thresholds of entries and exits. Prices are ten-thousandths of a dollar per contract."""

    strategy: str = "weather"
    maker: bool = True
    taker: bool = False
    min_edge: Price = Price(200)
    edge_sigmas: float = 0.5
    """The edge must also exceed this many standard errors of the fair value. The errors are paid for a
    second time in the size (``sizing.shrink``), hence less than one."""
    min_return: float = 0.03
    """Net edge over cost."""
    quarantine_edge: Price = Price(1500)
    """An edge above this is presumed a data fault."""
    adverse_selection: Price = Price(50)
    """What the outcome is worth less than fair value once somebody has sold it to a resting order of ours."""
    flow: Quantity = contracts(150)
    """Contracts that takers bring to one side of a market in half of the hours in which any come: daily highs
    of five cities before 2025-02-12, prices of 5 to 95 cents, 79,696 such hours; in the mean it is 608."""
    requote_gain: Price = Price(50)
    """What another place in the book must be expected to bring more, a contract, before ours is given up."""
    requote_after_s: int = 15
    """Real seconds an order keeps its place whatever happens."""
    fair_collar: Price = Price(1000)
    """A limit further than this from fair value would only fill on news we do not have."""
    price_max: Price = Price(9700)
    """Most we pay for either outcome: above it the last cents do not pay for the tail."""
    disagreement: float = 0.25
    """Distance of fair value and mid above which a person must look first."""
    improve_spread_ticks: int = 3
    """From this spread on a resting order goes one tick ahead of the best instead of joining it."""
    probability_bounds: tuple[float, float] = (0.002, 0.998)
    kelly: float = 0.25
    sigma_floor: float = 0.04
    """Standard error assumed for sizing until 200 settled bets say otherwise."""
    depth_share: float = 0.25
    min_quantity: Quantity = contracts(1)
    lifetime_s: int = 120
    sell_before_settlement: bool = False
    """Plan to sell at fair value instead of holding to settlement: entries then pay a second, taker's fee."""
    no_entry_before_close_s: int = 600
    """World seconds."""
    leave_before_close_s: int = 0
    """Where the plan is to sell before settlement: from so long before the close on it is done, world
    seconds."""
    exit_premium: Price = Price(50)
    """What a sale must bring beyond what holding is worth, net of fee: a sale taken back costs two fees."""
    certain: float = 0.98
    certain_discount: Price = Price(50)
    """Above ``certain`` the last cents pay less than a correction may cost: sell this far under fair."""
    capital_rate: float = 0.10
    """What money bound in a position would earn elsewhere, a year."""
    risk_max: Price = Price(100)
    """Most that is given up so that less is at stake."""
    gone_against: Price = Price(300)
    """Fair value this far under our average cost: the reason for the position is gone."""
    gone_discount: Price = Price(200)
    """What leaving may cost against fair value once the reason is gone."""
    stop_spread: Price = Price(1000)
    """A stop sells into a book with two sides no further apart than this: a wider one names no price."""
    invalid_grace_s: int = 7_200
    """How long a model may refuse a price before what it opened is sold, world seconds."""

    @property
    def entries_end_s(self) -> int:
        """World seconds before the close from which on nothing is opened, as it would be sold at once."""
        return max(self.no_entry_before_close_s, self.leave_before_close_s)

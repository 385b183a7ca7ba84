"""What the gate judges by: plain values the engine fills for one candidate at one moment.

``None`` means not known, and denies. Ages and rates are real time; market hours and feed ages are
world time.
"""

from __future__ import annotations

import enum
import itertools
import math
from collections.abc import Sequence

import msgspec

from core.domain.book import Book
from core.domain.market import Market
from core.domain.order import BookSide, Order
from core.domain.position import Position
from core.domain.units import Money, Price, Quantity
from core.risk.exposure import Worst
from core.risk.halts import Level
from core.risk.releases import ReleaseFacts
from core.risk.trips import Trip
from core.venues.venue import BookView, Link, OrderReport, verified_ns

MEDIAN_ORDERS = 20
"""A size is compared with the median of so many of the last orders."""


class BookFacts(msgspec.Struct, frozen=True):
    """A market's book as far as the gate needs it, in YES terms."""

    best_bid: Price | None
    best_ask: Price | None
    depth: Quantity
    """See ``visible_depth``."""
    intact: bool
    """Snapshot received and sequence unbroken since."""
    age_ms: int
    """Real time since the book was last known to be right: a message, or a pong on its socket."""
    sequence: int = 0


class FeedAge(msgspec.Struct, frozen=True):
    """One input of the model, in world seconds; ``None`` = nothing received."""

    name: str
    age_s: int | None
    stale_after_s: int


class FairFacts(msgspec.Struct, frozen=True):
    """The present value of the market, with what makes its model believable."""

    probability: float
    """Pooled with the market."""
    model: float
    """Of the model alone: the pool moves with the book."""
    version: str
    previous: float | None
    """What the model said five real seconds ago, ``None`` when there was nothing."""
    inputs_changed: bool
    """Whether a new input arrived within those five seconds, which explains any jump."""
    ladder_sum: float | None
    """See ``ladder_sum``."""


class Sent(msgspec.Struct, frozen=True):
    """One order already sent (opens and closes alike), on the monotonic clock."""

    ticker: str
    side: BookSide
    price: Price
    quantity: Quantity
    at_ns: int


class TradingFacts(msgspec.Struct, frozen=True):
    """Whether the venue takes orders of this market."""

    active: bool
    reopened_ms_ago: int | None = None
    """Real time since it was seen to trade again after a pause; ``None`` when no pause was seen."""
    pause_in_ms: int | None = None
    """World time until the next published maintenance window, negative within one; ``None``: none ahead."""


class Presence(enum.Enum):
    """Who supervises. A CLI command is presence for its order and starts the grace anew."""

    PRESENT = "present"
    UNATTENDED = "unattended"
    """Automatic mode without a console, within its time."""
    ABSENT = "absent"


class GateInputs(msgspec.Struct, frozen=True, kw_only=True):
    """Everything ``gate`` looks at besides the candidate and the limits."""

    now_ns: int
    """Monotonic."""
    world_ms: int | None
    level: Level | None
    """Effective level of the market: the strictest of its own, its event's, venue's and the desk's."""
    level_reason: str = ""
    armed: bool
    """Whether entries with real money were armed; true where money is not real."""
    paused: str = ""
    """Why entries of this strategy are paused, empty when they are not."""
    automatic: bool
    """Whether orders leave without a person's word."""
    trips: tuple[Trip, ...] | None
    """What switched itself off and covers this order."""
    reconcile_age_ms: int | None
    """Since the last complete, clean reconcile of the venue."""
    market: Market | None
    lot: Quantity = Quantity(10_000)
    """The venue's quantity step."""
    allowed: bool | None
    """Whether the market is on the list of what may be traded, its outcome mapping included."""
    pinned_rules_hash: str
    """Hash of the rules text when the market was first read."""
    trading: TradingFacts | None
    book: BookFacts | None
    fair: FairFacts | None
    feeds: tuple[FeedAge, ...] | None
    releases: tuple[ReleaseFacts, ...] | None
    """The economic releases that move the market; empty where none does."""
    position: Position | None
    unsettled: Quantity = Quantity(0)
    """Contracts of it that came by trades which may still fail: they cannot be sold."""
    orders: tuple[Order, ...] | None
    """Our orders of this market that may still fill, UNKNOWN ones included."""
    outside: tuple[OrderReport, ...] | None
    """Resting orders of this market that were not placed by this desk."""
    open_orders: int | None
    """Orders that may still fill over all markets."""
    worst: Worst | None
    """Worst cases with this order, from ``Exposure.with_order``."""
    cash: Money | None
    """The venue's balance, resting orders not deducted."""
    reserved: Money | None
    """What the account's open and unknown orders may still cost, without this one."""
    recent: tuple[Sent, ...] | None
    """Orders sent, oldest first: at least those of the last hour and the last twenty."""
    repeats: int | None
    """Automatic entries of this strategy in this market that traded within the hour, since it was last
    switched on."""
    proposal_used: bool | None
    """Whether this proposal has led to an order before."""
    filled_15s: Money | None
    filled_5min: Money | None
    day_pnl: Money | None
    """Realised and marked to what we could sell at, fees included; nobody bidding marks at zero."""
    losses_in_row: int | None
    losses_1h: int | None
    """Closes at a loss, since automatic mode was last re-enabled."""
    equity: Money | None
    """The account's cash and what we could sell everything for; nobody bidding sells at zero."""
    equity_peak: Money | None
    """Its highest value of the last seven world days."""
    rejects_1min: int | None
    unknowns_1min: int | None
    clock_offset_ms: int | None
    clock_stepped: bool
    loop_lag_ms: int | None
    """p99 of the last 10 s."""
    sync_p99_ms: int | None
    journal_ok: bool
    disk_free_mb: int | None
    memory_mb: int | None
    """Resident memory of the engine's process."""
    presence: Presence | None
    budget_ok: bool | None
    more: int = 0
    """Orders that are decided on together with this one and leave after it."""
    dead_man: str = ""
    """Why the venue's dead-man switch would not end our orders in time; empty where it would, or another
    safeguard does."""


def ordinary(sent: Sequence[Sent], times: int) -> Quantity | None:
    """The largest order that is no more than so many ``times`` the median of the last ones; ``None`` while
    they are too few to compare with."""
    last = sorted(one.quantity for one in sent[-MEDIAN_ORDERS:])
    if len(last) < MEDIAN_ORDERS:
        return None
    return Quantity(times * (last[MEDIAN_ORDERS // 2 - 1] + last[MEDIAN_ORDERS // 2]) // 2)


def visible_depth(book: Book, side: BookSide, collar: Price) -> Quantity:
    """Contracts offered to an order on ``side``: the opposite levels within ``collar`` of their best.

    Sizing and check G07 use this same measure.
    """
    best = book.best_ask if side is BookSide.BID else book.best_bid
    if best is None:
        return Quantity(0)
    return book.depth_within(side.opposite, Price(best + collar * side.sign))


def book_facts(view: BookView, link: Link, side: BookSide, collar: Price, now_ns: int) -> BookFacts:
    """Read a live book for the gate."""
    return BookFacts(
        best_bid=view.book.best_bid,
        best_ask=view.book.best_ask,
        depth=visible_depth(view.book, side, collar),
        intact=view.intact,
        age_ms=(now_ns - verified_ns(view, link)) // 1_000_000,
        sequence=view.sequence,
    )


def ladder_sum(chances: Sequence[tuple[Market, float]]) -> float | None:
    """What an event's markets, each with its probability, give all outcomes together: one, or they are wrong.

    Exclusive brackets are added up. Of thresholds, or one alone, it is the way from impossible to certain
    by their strikes: longer than one where a chance rises that has to fall. ``None`` for other ranges.
    """
    if len(chances) > 1 and any(market.exclusive for market, _ in chances):
        return math.fsum(chance for _, chance in chances)
    steps: list[tuple[float, float]] = []
    for market, chance in chances:
        floor, cap = market.strike.floor, market.strike.cap
        if floor is not None and cap is None:
            steps.append((floor, 1.0 - chance))
        elif cap is not None and floor is None:
            steps.append((cap, chance))
        else:
            return None
    below = [0.0, *(chance for _, chance in sorted(steps)), 1.0]
    return math.fsum(abs(upper - lower) for lower, upper in itertools.pairwise(below))


def evidence(inputs: GateInputs) -> dict[str, object]:
    """Every input value for the journal, with the market and our orders reduced to what was judged."""
    values: dict[str, object] = msgspec.to_builtins(
        msgspec.structs.replace(inputs, market=None, orders=None, outside=None, recent=None), str_keys=True
    )
    market = inputs.market
    values["market"] = market and {
        "ticker": market.ticker,
        "status": market.status.value,
        "open_ms": market.open_ms,
        "close_ms": market.close_ms,
        "rules_hash": market.rules_hash,
    }
    values["orders"] = [
        {"id": o.intent.client_order_id, "life": o.life.value, "leaves": o.leaves, "price": o.intent.price}
        for o in inputs.orders or ()
    ]
    values["outside"] = [
        {"id": r.order_id, "side": r.side.value, "price": r.price, "remaining": r.remaining}
        for r in inputs.outside or ()
    ]
    values["recent"] = len(inputs.recent or ())
    return values

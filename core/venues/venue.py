"""What the engine asks of a venue and what a venue tells it: typed facts, no judgement.

A venue package ends here. Deciding what an unanswered order means, what to reserve and what to halt
is the business of ``execution`` and ``risk``.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from core.domain.book import Book
from core.domain.market import Market
from core.domain.order import BookSide, Fill, OrderIntent, Outcome, Purpose
from core.domain.trade import TradeStage
from core.domain.units import Money, Price, Quantity
from core.venues.decisions import LimiterReport
from core.venues.exchange import Cash, ExchangeState, Maintenance
from core.venues.limiter import Level
from core.venues.published import Published
from core.venues.traits import Beat, Traits


class Sealed(msgspec.Struct, frozen=True):
    """An order ready for the wire, made before its intent's row: that row keeps it."""

    order_id: str
    """The venue's id for it, known beforehand; empty where the venue gives ids itself."""
    body: bytes
    """What is sent, to the byte; empty where it is made from the intent."""


UNSEALED = Sealed("", b"")


class Accepted(msgspec.Struct, frozen=True, tag="accepted", omit_defaults=True):
    """The venue has the order. ``remaining`` 0 with ``filled`` below the order means: the rest is gone."""

    order_id: str
    filled: Quantity
    remaining: Quantity
    at_ms: int
    said: str = ""
    """The venue's own word where the order does not simply rest, such as delayed."""


class Rejected(msgspec.Struct, frozen=True, tag="rejected"):
    """Venue proof that the order was not accepted."""

    code: str
    text: str


class NeverSent(msgspec.Struct, frozen=True, tag="never_sent"):
    """Proof that no byte of the order left this machine."""

    reason: str


class Unresolved(msgspec.Struct, frozen=True, tag="unresolved"):
    """Bytes may have left and no proof came back: never a rejection."""

    reason: str


PlaceOutcome = Accepted | Rejected | NeverSent | Unresolved


class Cancelled(msgspec.Struct, frozen=True, tag="cancelled"):
    """Venue proof of the cancel; ``reduced_by`` contracts were still open."""

    order_id: str
    reduced_by: Quantity


class NotThere(msgspec.Struct, frozen=True, tag="not_there"):
    """The venue does not know a resting order of this id. Not success: look the order up."""

    order_id: str
    code: str


class CancelUnresolved(msgspec.Struct, frozen=True, tag="unresolved"):
    order_id: str
    reason: str


CancelOutcome = Cancelled | NotThere | CancelUnresolved


class Renewed(msgspec.Struct, frozen=True, tag="renewed"):
    """Venue proof that a resting order now ends at ``expires_ms``, real wall time."""

    order_id: str
    expires_ms: int


class NotRenewed(msgspec.Struct, frozen=True, tag="not_renewed"):
    """The venue refused the new end: the old one holds, or the order rests no more."""

    order_id: str
    code: str


class RenewUnresolved(msgspec.Struct, frozen=True, tag="unresolved"):
    """Either end may hold."""

    order_id: str
    reason: str


RenewOutcome = Renewed | NotRenewed | RenewUnresolved


class Reduced(msgspec.Struct, frozen=True, tag="reduced"):
    """Venue proof that a resting order is smaller: so many contracts were left open then."""

    order_id: str
    remaining: Quantity
    at_ms: int
    """Real wall time of the venue."""


class NotReduced(msgspec.Struct, frozen=True, tag="not_reduced"):
    """The venue refused, or nothing was sent: the order is as large as it was, or rests no more."""

    order_id: str
    code: str


class ReduceUnresolved(msgspec.Struct, frozen=True, tag="unresolved"):
    """Either size may hold."""

    order_id: str
    reason: str


ReduceOutcome = Reduced | NotReduced | ReduceUnresolved


class Done(msgspec.Struct, frozen=True, tag="done"):
    """The venue has done it."""


GroupOutcome = Done | Rejected | Unresolved


class SafetyGroup(msgspec.Struct, frozen=True):
    """Orders the venue cancels together: by our word, or by itself once more than ``contracts`` of them
    traded within its window. A triggered group refuses new orders until it is reset."""

    group_id: str
    purpose: Purpose
    part: str
    """The part of the venue it covers, in the venue's own word."""
    contracts: int


class GroupChange(enum.Enum):
    """What the stream tells about a group, and what the refusal of an order does."""

    OPENED = "opened"
    TRIGGERED = "triggered"
    REFUSING = "refusing"
    """An order that names it was refused: it stands triggered, however that came about."""
    RESET = "reset"
    REMOVED = "removed"
    LIMITED = "limited"


class Incomplete(msgspec.Struct, frozen=True):
    """A read that failed or was cut short. It proves nothing, least of all absence."""

    what: str
    reason: str


class ReportStatus(enum.Enum):
    RESTING = "resting"
    CANCELED = "canceled"
    EXECUTED = "executed"
    INVALID = "invalid"
    """The venue has found that it was never to be taken: a refusal, where nothing of it has filled."""
    UNKNOWN = "unknown"


EXPIRY_REASON = "ExpiryCancel"
"""``OrderReport.reason`` of an order that ended because its time was over."""


class OrderReport(msgspec.Struct, frozen=True):
    """One order as the venue describes it, from a list, a look-up or the stream."""

    order_id: str
    client_order_id: str
    ticker: str
    side: BookSide
    price: Price
    quantity: Quantity
    filled: Quantity
    remaining: Quantity
    status: ReportStatus
    reason: str = ""
    """The venue's word for the last change, such as ``ExpiryCancel``."""
    expires_ms: int | None = None
    updated_ms: int | None = None
    shard: int | None = None
    """The part of the venue it rests on, where the venue says so."""


class PositionReport(msgspec.Struct, frozen=True):
    ticker: str
    net: Quantity
    """Signed: positive = YES, negative = NO."""
    pairs: Quantity = Quantity(0)
    """YES and NO held together beside ``net``: worth a dollar each pair, whatever happens."""
    page: str = ""
    """The venue's page where pairs are merged by hand."""


class TradeReport(msgspec.Struct, frozen=True):
    """How far a trade of ours is, on a venue that settles later. Every fill of the trade is meant."""

    trade_id: str
    """Without the order a fill's id may name after it; see ``core.domain.trade.trade_of``."""
    stage: TradeStage
    at_ms: int
    """Real wall time of the venue."""


class Print(msgspec.Struct, frozen=True, gc=False):
    """A public trade in YES terms, whoever traded: for the tape, nothing rests on it."""

    ticker: str
    price: Price
    quantity: Quantity
    taker: BookSide
    """BID: whoever came last bought YES, or sold NO."""
    at_ms: int
    """Real wall time of the venue."""


class Redeemable(msgspec.Struct, frozen=True):
    """Winning contracts of a resolved market that wait to be paid out by hand, on the venue's page."""

    ticker: str
    outcome: Outcome
    quantity: Quantity
    url: str


class SettlementRecord(msgspec.Struct, frozen=True):
    """The venue's statement of what a settled market brought the account."""

    yes: Quantity
    yes_cost: Money
    no: Quantity
    no_cost: Money
    revenue: Money
    fee: Money


class SettlementReport(msgspec.Struct, frozen=True):
    """A paid market: ``payout`` per YES contract. The market alone tells no ``record``."""

    ticker: str
    payout: Price
    result: str
    at_ms: int
    record: SettlementRecord | None = None


class LinkState(enum.Enum):
    CONNECTING = "connecting"
    OK = "ok"
    DOWN = "DOWN"


class Link(msgspec.Struct, frozen=True):
    """State of the stream. ``heartbeat_ns`` is when the last answered ping of ours was *sent*: what the
    venue sent before it has arrived."""

    state: LinkState
    heartbeat_ns: int
    detail: str = ""
    retry_at_ns: int | None = None
    sequence: int = 0
    """Number of the last book message applied."""
    lag_ms: int | None = None
    """How long book changes of the last second took from the venue's edge into the book, 99th percentile,
    clock offset included."""


class BookView(msgspec.Struct):
    """A market's live book with what its freshness rests on.

    ``intact`` is false between a sequence gap (or a delta that cannot be right) and the next
    snapshot; ``message_ns`` is when the last message for this market was applied.
    """

    book: Book
    intact: bool = False
    sequence: int = 0
    message_ns: int = 0


def verified_ns(view: BookView, link: Link) -> int:
    """When the book was last known to be right: its last message, or a later pong on its socket
    while the sequence is unbroken."""
    if view.intact and link.state is LinkState.OK:
        return max(view.message_ns, link.heartbeat_ns)
    return view.message_ns


class GroupListener(Protocol):
    """The part of a listener that hears of safety groups, in the venue's loop step."""

    def on_group(self, group_id: str, change: GroupChange) -> None:
        """Told by the stream, or by the refusal of an order."""
        ...


class VenueListener(GroupListener, Protocol):
    """Synchronous callbacks, called in the venue's loop step. They must not block or await."""

    def on_book(self, ticker: str) -> None: ...

    def on_print(self, seen: Print) -> None:
        """Somebody traded in a market that is listened to. Some may be missed."""
        ...

    def on_fill(self, fill: Fill, client_order_id: str) -> None: ...

    def on_trade(self, report: TradeReport) -> None:
        """How far a provisional fill's trade is: told again and again, in any order."""
        ...

    def on_order(self, report: OrderReport) -> None: ...

    def on_position(self, report: PositionReport, trade_id: str) -> None:
        """The venue's own count: after this trade, which ``on_fill`` has brought just before, or (empty)
        as it stands. Not ordered against fills: it checks what is believed, it never replaces it."""
        ...

    def on_market(self, market: Market) -> None: ...

    def on_settlement(self, report: SettlementReport) -> None: ...

    def on_link(self, link: Link) -> None: ...

    def on_reconnect(self) -> None:
        """The private stream is back: what happened meanwhile must be read."""
        ...

    def on_grid(self, ticker: str) -> None:
        """Its prices lie on another grid now: the venue may have taken off what rests there."""
        ...

    def on_limiter(self, report: LimiterReport) -> None:
        """What the rate limiter decided since it last said so, for the record."""
        ...

    def on_storm(self, cause: str) -> None:
        """The venue refuses so much that nothing may be added: the limiter lets no entry through for a
        minute, and what holds after that is for a person."""
        ...

    def on_credential(self, cause: str) -> None:
        """The venue does not accept our key."""
        ...

    def on_publication(self, source: str, channel: str, frame: bytes) -> None:
        """A message with what the venue publishes beside its markets, as it came: for the record."""
        ...

    def on_published(self, value: Published) -> None:
        """A value the venue publishes beside its markets, where it was asked for; after its message."""
        ...

    def on_publication_list(self, source: str, names: tuple[str, ...]) -> None:
        """What the venue publishes there, as ``ask_published`` asked."""
        ...

    def on_unpublished(self, source: str, why: str) -> None:
        """The venue does not publish this to us."""
        ...

    def on_anomaly(self, what: str, detail: str) -> None: ...

    def fit(self) -> bool:
        """Asked before each beat of a dead-man switch: whether this engine may keep orders alive now."""
        ...


class SafetyNet(Protocol):
    """What holds an account's orders when the engine no longer does. Nothing here creates an order."""

    async def arm_groups(
        self, contracts: Mapping[Purpose, int], known: Sequence[SafetyGroup]
    ) -> tuple[SafetyGroup, ...] | Incomplete:
        """One group for each purpose in every part of the venue that has markets of ours.

        ``known`` ones that still exist are taken over as they stand. Safe to repeat: what is armed stays.
        """
        ...

    def part_of(self, ticker: str) -> str:
        """The part of the venue a market trades in, as ``SafetyGroup.part`` names it."""
        ...

    async def trigger_group(self, group: SafetyGroup) -> GroupOutcome:
        """Cancel everything in the group and refuse what comes later. Ahead of every other call."""
        ...

    async def reset_group(self, group: SafetyGroup) -> GroupOutcome: ...

    async def limit_group(self, group: SafetyGroup, contracts: int) -> GroupOutcome:
        """A lower limit than what traded within the window triggers the group."""
        ...

    async def cancel_everything(self) -> GroupOutcome:
        """Cancel every order of the account, hand-placed ones too. The venue may also cancel what is
        placed within the next minute."""
        ...


LastCheck = Callable[[], str | None]
"""Called in the step before an order's first byte leaves; a text stops it as ``NeverSent``."""


class VenueGateway(SafetyNet, Protocol):
    """One venue, connected. Reads return ``Incomplete`` instead of raising or half a list."""

    traits: Traits
    books: Mapping[str, BookView]
    link: Link
    volumes: Mapping[str, Quantity]
    """What has traded in each market so far, as the venue's last list counts it: contracts, or dollars."""

    @property
    def beat(self) -> Beat | None:
        """The dead-man switch as it stands; ``None`` while none is armed and where there is none."""
        ...

    async def run(self) -> None:
        """Keep the streams alive until cancelled."""
        ...

    async def close(self) -> None: ...

    async def markets(self, series: Sequence[str]) -> tuple[Market, ...] | Incomplete: ...

    async def market(self, ticker: str) -> Market | Incomplete:
        """One market, of whatever series. It can be subscribed to and sold in from then on."""
        ...

    async def subscribe(self, tickers: Sequence[str]) -> None:
        """Add these markets to the streams; their books appear in ``books``."""
        ...

    def seal(self, intent: OrderIntent) -> Sealed | Rejected:
        """Build and sign the order, at once and without a call; ``Rejected``: the venue cannot have it so."""
        ...

    async def place(self, intent: OrderIntent, sealed: Sealed, last_check: LastCheck) -> PlaceOutcome:
        """Send what was sealed of this intent, once. Never retried, never raises for a wire fault."""
        ...

    async def renew(
        self,
        order_id: str,
        intent: OrderIntent,
        quantity: Quantity,
        expires_ms: int,
        last_check: LastCheck,
    ) -> RenewOutcome:
        """Move a resting order's end of life and nothing else; ``quantity`` is its size as it stands.

        Sent once; what ``last_check`` stops, a full limiter or a dead link is ``NotRenewed``.
        """
        ...

    async def reduce(self, order_id: str, ticker: str, by: Quantity, last_check: LastCheck) -> ReduceOutcome:
        """Take so many open contracts off a resting order, its place in the queue kept.

        Sent once; what ``last_check`` stops, a full limiter or a dead link is ``NotReduced``.
        """
        ...

    async def cancel(self, orders: Sequence[tuple[str, str]]) -> tuple[CancelOutcome, ...]:
        """Cancel by ``(order_id, ticker)``, in calls as large as the venue's bucket allows; one
        outcome an order, in the order given."""
        ...

    async def order(self, order_id: str) -> OrderReport | Incomplete | None:
        """``None``: the venue answers that there is no such order."""
        ...

    async def orders(
        self, *, ticker: str | None = None, status: ReportStatus | None = None, since_ms: int | None = None
    ) -> tuple[OrderReport, ...] | Incomplete: ...

    async def queue_ahead(self, tickers: Sequence[str]) -> Mapping[str, Quantity] | Incomplete:
        """Contracts before us by order id."""
        ...

    async def fills(self, *, since_ms: int | None = None) -> tuple[Fill, ...] | Incomplete:
        """Every fill, those of trades that were undone too: ``trades`` says which."""
        ...

    async def trades(self, *, since_ms: int | None = None) -> tuple[TradeReport, ...] | Incomplete:
        """How far each trade of ours is, failed ones too; nothing where a fill is final at once."""
        ...

    async def positions(self) -> tuple[PositionReport, ...] | Incomplete: ...

    async def lists_as_of_ms(self) -> int | Incomplete | None:
        """Until when lists of orders, fills and positions hold everything, wall time of the venue; ``None``
        where it does not say, for then they are as new as the answer."""
        ...

    async def redeemable(self) -> tuple[Redeemable, ...] | Incomplete:
        """What waits to be paid out by hand; nothing where the venue pays by itself."""
        ...

    async def settlements(
        self, *, since_ms: int | None = None
    ) -> tuple[SettlementReport, ...] | Incomplete: ...

    async def cash(self) -> Cash | Incomplete: ...

    async def book_now(self, ticker: str) -> Book | Incomplete:
        """A market's book read on its own, for an exit while the stream's cannot be trusted."""
        ...

    async def last_price(self, ticker: str) -> Price | Incomplete | None:
        """What YES last traded at, for an exit while no book can be read; ``None``: it never did."""
        ...

    async def exchange_state(self) -> ExchangeState | Incomplete: ...

    async def maintenance(self) -> tuple[Maintenance, ...] | Incomplete:
        """Published times without trading that are not over."""
        ...

    async def ask_published(self, source: str) -> None:
        """Ask on the stream what the venue publishes there beside its markets; the listener is told."""
        ...

    def clock_offset_ms(self) -> int | None:
        """Venue clock minus ours from ``Date`` headers, best of the last samples; ``None`` = unknown."""
        ...

    def entry_budget(self, cancels: int, shard: int) -> bool:
        """Whether the limiter could send one order to this shard and still cancel so many at once."""
        ...

    def levels(self) -> tuple[Level, ...]:
        """Its rate limits, each as far as it is used now."""
        ...

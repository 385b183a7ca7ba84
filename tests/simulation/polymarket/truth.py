"""What really happened on the second venue: the desk's orders and trades there, how far each has settled."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from core.domain.order import OrderIntent, Purpose
from core.domain.units import DOLLAR, Money, Price, Quantity
from core.journal.events import Kind, Row
from core.sim.orders import BookSide
from core.sim.polymarket.events import Event, OrderChanged, TradeChanged
from core.sim.polymarket.orders import Order, OrderStatus, Stage, Trade
from core.sim.polymarket.wallets import PUSD
from core.venues.venue import Sealed
from tests.simulation.polymarket.site import PolymarketSite
from tests.simulation.truth import Truth as FirstTruth

POST = ("POST", "/order")
_intended = msgspec.json.Decoder(
    msgspec.defstruct("Intended", [("intent", OrderIntent), ("sealed", Sealed, Sealed("", b""))])
)


class Part(msgspec.Struct, frozen=True):
    """One order's part in a trade, in YES terms, under the id a desk knows it by."""

    fill_id: str
    trade: Trade
    order: Order
    price: Price
    quantity: Quantity
    fee: Money

    @property
    def side(self) -> BookSide:
        return self.order.side

    @property
    def failed(self) -> bool:
        return self.trade.stage is Stage.FAILED


def parts(trade: Trade) -> Iterator[Part]:
    """Everybody's part; only the taker pays."""
    taker = trade.taker
    yield Part(trade.trade_id, trade, taker, taker.in_own(trade.price), trade.shares, trade.fee)
    for fill in trade.makers:
        order, fill_id = fill.order, f"{trade.trade_id}:{fill.order.order_id}"
        yield Part(fill_id, trade, order, order.in_own(fill.price), fill.shares, Money(0))


class Truth:
    """Kept from what passes between desk, disk and this venue; asks the engine nothing."""

    def __init__(self, site: PolymarketSite, shared: FirstTruth) -> None:
        """``shared``: the other venue's, for the halts on disk and the one list of what happened."""
        self.site, self.exchange, self.shared = site, site.exchange, shared
        self.intents: dict[str, OrderIntent] = {}
        """Intents that are on disk, by client order id."""
        self.by_hash: dict[str, str] = {}
        self.hashes: dict[str, str] = {}
        self._by_body: dict[bytes, str] = {}
        self.orders: dict[str, Order] = {}
        self.parts: dict[str, list[Part]] = {}
        """By client order id."""
        self.ours: dict[str, Part] = {}
        """Every part of the account, by fill id."""
        self.bytes_out: dict[str, int] = {}
        self.on_the_way: dict[str, int] = {}
        self.entries_ms: list[int] = []
        """When an entry left."""
        self.external_tickers: dict[str, None] = {}
        """Markets in which somebody else traded on the desk's account, or the venue took its word back."""
        self.lied_about: dict[str, None] = {}
        """Orders whose end it took back."""
        self.ended_ms: dict[str, int] = {}
        """When an order of ours was last seen to be over."""
        self.delayed: dict[str, None] = {}
        """Orders that waited at the venue before they could match."""
        self.strange: dict[str, Order] = {}
        """Orders of the account that nobody has intended."""
        self.fees = {condition: [market.spec.fee] for condition, market in site.exchange.markets.items()}
        """What takers of each market have been charged by so far, the newest last."""
        self.slugs = frozenset(market.spec.slug for market in site.exchange.markets.values())
        self.cross_matched = 0
        """Parts of ours that met the other outcome."""
        self._by_hand: dict[str, None] = {}

    def note(self, line: str) -> None:
        self.shared.note(line)

    def by_hand(self, order_id: str, slug: str) -> None:
        """A person is about to place this on the venue's page."""
        self._by_hand[order_id] = None
        self.external_tickers[slug] = None

    # --- the disk and the wire ------------------------------------------------------------------

    def durable(self, row: Row, known: Callable[[OrderIntent], bool]) -> None:
        if row.kind != Kind.ORDER_INTENT.value:
            return
        said = _intended.decode(row.payload)
        intent, sealed = said.intent, said.sealed  # type: ignore[attr-defined]
        if known(intent):
            client = intent.client_order_id
            self.intents[client] = intent
            self.by_hash[sealed.order_id], self._by_body[sealed.body] = client, client
            self.hashes[client] = sealed.order_id

    def client_of(self, method: str, path: str, body: bytes) -> str | None:
        """The client order id of a create, empty where its bytes were never written down."""
        return self._by_body.get(body, "") if (method, path) == POST else None

    def left(self, client: str) -> None:
        self.bytes_out[client] = self.bytes_out.get(client, 0) + 1
        self.on_the_way[client] = self.on_the_way.get(client, 0) + 1
        if self.intents[client].purpose is Purpose.OPEN:
            self.entries_ms.append(self.exchange.clock.wall_ms())

    def landed(self, client: str) -> None:
        """It arrived, or never will."""
        self.on_the_way[client] -= 1
        if not self.on_the_way[client]:
            del self.on_the_way[client]
        self.adopt(client)

    def adopt(self, client: str) -> None:
        """Take note of an order that waits at the venue, which no event tells of."""
        order = self.exchange.orders.get(self.hashes[client])
        if order is not None and order.status is OrderStatus.DELAYED:
            self.orders[client], self.delayed[client] = order, None

    # --- lies -----------------------------------------------------------------------------------

    def lie(self, client: str) -> None:
        """From now on the venue contradicts what it has said of this order."""
        self.lied_about[client] = None
        self.external_tickers[self.intents[client].ticker] = None

    # --- the venue ------------------------------------------------------------------------------

    def happened(self, event: Event) -> list[str]:
        """Take note of an exchange event; the client order ids it is about."""
        match event:
            case OrderChanged(order=order) if order.owner == self.site.key:
                client = self._owner(order)
                if client and not rests(order):
                    self.ended_ms[client] = self.exchange.clock.wall_ms()
                return [client] if client else []
            case TradeChanged(trade=trade):
                found = [part for part in parts(trade) if part.order.owner == self.site.key]
                return [client for part in found if (client := self._took_part(part))]
        return []

    def _owner(self, order: Order) -> str:
        client = self.by_hash.get(order.order_id, "")
        if client:
            self.orders.setdefault(client, order)
        elif order.order_id not in self._by_hand:
            self.strange[order.order_id] = order
        return client

    def _took_part(self, part: Part) -> str:
        client = self._owner(part.order)
        if part.fill_id not in self.ours:
            self.ours[part.fill_id] = part
            if client:
                self.parts.setdefault(client, []).append(part)
            met = (part.trade.taker, *(fill.order for fill in part.trade.makers))
            self.cross_matched += any(o.outcome != part.order.outcome for o in met)
        return client

    def matched(self, client: str) -> int:
        """What the venue has matched of an order, failed trades too."""
        return sum(part.quantity for part in self.parts.get(client, ()))

    def fees_of(self, part: Part) -> frozenset[int]:
        """What a desk may take the fee of a part for: no message tells it, so it goes by any schedule it may
        have read, and by none until it has read one."""
        taken = part.order is part.trade.taker
        schedules = self.fees[part.order.condition_id] if taken else []
        return frozenset((0, *(fee.of(part.quantity, part.trade.price) for fee in schedules)))

    def slug(self, part: Part) -> str:
        """The market of a part, as the desk calls it."""
        return self.exchange.markets[part.order.condition_id].spec.slug

    def confirmed(self, token: str) -> int:
        """Shares that are held for good and not spoken for: everything sold counts unless it has failed."""
        held = 0
        for part in self.ours.values():
            if part.order.token_id != token or part.failed:
                continue
            if not part.order.buys:
                held -= part.quantity
            elif part.trade.stage is Stage.CONFIRMED:
                held += part.quantity
        resting = (o for o in self.site.resting() if not o.buys and o.token_id == token)
        return held - sum(order.remaining for order in resting)

    def net(self, condition: str) -> int:
        """YES less NO in the desk's wallet, on the chain; nothing in a market that is over."""
        market = self.exchange.markets[condition]
        yes, no = market.spec.tokens
        if market.payouts is not None:
            return 0
        return self.site.wallet.balance(yes) - self.site.wallet.balance(no)

    @property
    def cash(self) -> int:
        """Dollars, the pairs that are worth one each, and what won and waits on the venue's page."""
        held, worth = self.site.wallet.balance, self.site.wallet.balance(PUSD)
        for market in self.exchange.markets.values():
            tokens = [held(token) for token in market.spec.tokens]
            if market.payouts is None:
                worth += min(tokens)
            else:
                worth += sum(n * each // DOLLAR for n, each in zip(tokens, market.payouts, strict=True))
        return worth

    @property
    def under_way(self) -> bool:
        """Whether a trade of ours may still fail, or a payout is still to come by itself."""
        pays = self.exchange.auto_redeem_ms is not None
        paid = [market for market in self.exchange.markets.values() if market.payouts is not None]
        unpaid = any(self.site.wallet.balance(token) for market in paid for token in market.spec.tokens)
        return (pays and unpaid) or any(not part.trade.stage.final for part in self.ours.values())


def told(order: Order | None) -> str:
    """An order as the venue has it."""
    if order is None:
        return "not at the venue"
    cause = order.cause.name if order.cause is not None else ""
    return f"{order.status.value} {cause} {order.matched}/{order.shares} left {order.remaining}"


def rests(order: Order | None) -> bool:
    return order is not None and order.status in (OrderStatus.LIVE, OrderStatus.DELAYED)

"""What really happened: the desk's orders at the venue, requests on their way, halts on disk."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import msgspec

from core.domain.market import Venue
from core.domain.order import OrderIntent, Purpose
from core.journal.events import Kind, Row
from core.risk.halts import Halt, HaltScope, Level, ScopeKind
from core.sim.events import ExchangeEvent, Filled, OrderChanged
from core.sim.exchange import Exchange
from core.sim.orders import Fill, Order
from tests.simulation.site import ACCOUNT

OURS = "pm-"
LAST_EVENTS = 50


class _Body(msgspec.Struct, frozen=True):
    client_order_id: str = ""


_body = msgspec.json.Decoder(_Body)
_intent = msgspec.json.Decoder(msgspec.defstruct("Intended", [("intent", OrderIntent)]))
_halt = msgspec.json.Decoder(Halt)


class Truth:
    """Kept from what passes between desk, disk and venue; asks the engine nothing."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.intents: dict[str, OrderIntent] = {}
        """Intents that are on disk, by client order id."""
        self.orders: dict[str, Order] = {}
        """The desk's orders at the venue, by client order id."""
        self.fills: dict[str, list[Fill]] = {}
        self.bytes_out: dict[str, int] = {}
        """Requests whose first byte has left, by client order id."""
        self.on_the_way: dict[str, int] = {}
        """Of these, how many may still arrive."""
        self.entries_ms: list[int] = []
        """When an entry left."""
        self.halts: dict[HaltScope, Halt] = {}
        """Halts that are on disk and not lifted."""
        self.halted_once: dict[str, None] = {}
        """Names of scopes that were halted at some time."""
        self.deposited = 0
        """Money that came in without a trade."""
        self.lied_about: dict[str, int] = {}
        """Orders whose end the exchange took back, with the time of it."""
        self.last: deque[str] = deque(maxlen=LAST_EVENTS)
        self.events = 0
        self.tape: Callable[[str], object] | None = None
        """Takes every line, where somebody wants them all."""
        self.external_tickers: dict[str, None] = {}
        """Markets in which somebody else traded on the desk's account, or the exchange took its word back."""

    def note(self, line: str) -> None:
        """One more thing that happened."""
        self.events += 1
        told = f"{self.events} {self.exchange.clock.wall_ms()} {line}"
        self.last.append(told)
        if self.tape is not None:
            self.tape(told)

    # --- the disk -----------------------------------------------------------------------------

    def durable(self, row: Row) -> None:
        match row.kind:
            case Kind.ORDER_INTENT.value:
                intent = _intent.decode(row.payload).intent  # type: ignore[attr-defined]
                if intent.venue is Venue.KALSHI:
                    self.intents[intent.client_order_id] = intent
            case Kind.HALT.value:
                halt = _halt.decode(row.payload)
                self.halts[halt.scope] = halt
                self.halted_once[halt.scope.name] = None
            case Kind.RESUME.value:
                self.halts.pop(_halt.decode(row.payload).scope, None)

    def halted(self, intent: OrderIntent) -> Halt | None:
        """The durable halt under which an order like this must not leave."""
        for scope, halt in self.halts.items():
            covers = (
                scope.kind is ScopeKind.GLOBAL
                or (scope.kind is ScopeKind.VENUE and scope.name == intent.venue.value)
                or (scope.kind is ScopeKind.MARKET and scope.name == intent.ticker)
                or (scope.kind is ScopeKind.EVENT and intent.ticker.startswith(scope.name))
            )
            if covers and halt.level > Level.NORMAL and intent.purpose is Purpose.OPEN:
                return halt
        return None

    # --- the wire -----------------------------------------------------------------------------

    @staticmethod
    def client_of(method: str, path: str, body: bytes) -> str:
        """The client order id of a create; empty for every other request."""
        return _body.decode(body).client_order_id if method == "POST" and path.endswith("/orders") else ""

    def left(self, client: str) -> None:
        self.bytes_out[client] = self.bytes_out.get(client, 0) + 1
        self.on_the_way[client] = self.on_the_way.get(client, 0) + 1
        if client in self.intents and self.intents[client].purpose is Purpose.OPEN:
            self.entries_ms.append(self.exchange.clock.wall_ms())

    def landed(self, client: str) -> None:
        """It arrived, or never will."""
        self.on_the_way[client] -= 1
        if not self.on_the_way[client]:
            del self.on_the_way[client]

    # --- lies ---------------------------------------------------------------------------------

    def lie(self, client: str, ticker: str) -> None:
        """From now on the venue contradicts what it has said of this order."""
        self.lied_about[client] = self.exchange.clock.wall_ms()
        self.external_tickers[ticker] = None

    # --- the venue ----------------------------------------------------------------------------

    def happened(self, event: ExchangeEvent) -> str:
        """Take note of an exchange event; the client order id it is about, empty where it is not ours."""
        if not isinstance(event, OrderChanged | Filled) or event.account != ACCOUNT:
            return ""
        about = event.order if isinstance(event, OrderChanged) else event.fill
        client = about.client_order_id
        if not client.startswith(OURS):
            self.external_tickers[about.ticker] = None
            return ""
        if isinstance(event, OrderChanged):
            self.orders.setdefault(client, event.order)
        else:
            self.fills.setdefault(client, []).append(event.fill)
        return client

    def order_id(self, client: str) -> str:
        """The venue's id of one of our orders; empty where it has none."""
        order = self.orders.get(client)
        return order.order_id if order is not None else ""

    def filled(self, client: str) -> int:
        return sum(fill.count for fill in self.fills.get(client, ()))

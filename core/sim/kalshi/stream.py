"""The stream side: what happens at the exchange, told to those who follow it.

Book deltas are encoded once per price form and shared. Private messages go to their member's
connections only. Ticker messages are gathered and sent by ``pulse``.
"""

from __future__ import annotations

import msgspec

from core.sim.contracts import Market
from core.sim.events import (
    BookChanged,
    ExchangeEvent,
    FeesChanged,
    Filled,
    GroupChanged,
    MarketChanged,
    OrderChanged,
    Traded,
)
from core.sim.faults import BooksFroze, BooksThawed, FaultEvent, SequenceGapped, SocketsDropped
from core.sim.kalshi import indices, messages, sprinkle
from core.sim.kalshi.audience import ALL, Audience
from core.sim.kalshi.call import Venue
from core.sim.kalshi.commands import Commands
from core.sim.kalshi.connection import Connection, Subscription
from core.sim.kalshi.indices import Between, Tick


class _Withheld(msgspec.Struct, frozen=True):
    """A private message of a hidden order, to be sent when it is hidden no longer."""

    client_order_id: str
    account: str
    channel: str
    ticker: str
    kind: str
    body: bytes


class Stream:
    """Every connection of one exchange."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._audience = Audience(venue)
        self._commands = Commands(venue, self._audience)
        self._quoted: dict[str, None] = {}
        self._withheld: list[_Withheld] = []
        venue.exchange.listeners.append(self.on_event)
        venue.faults.watchers.append(self._on_fault)
        venue.indices.listeners.append(self._on_tick)
        venue.indices.fast_listeners.append(self._on_fast)

    def join(self, connection: Connection) -> None:
        connection.sprinkled = self._venue.exchange.dialect.unknown_is_sprinkled
        self._audience.connect(connection)

    def leave(self, connection: Connection) -> None:
        self._audience.disconnect(connection)

    def handle(self, connection: Connection, text: str | bytes) -> None:
        """Carry out one command; every outcome is a message."""
        self._commands.handle(connection, text)

    def pulse(self) -> None:
        """Send what was gathered: tickers of changed markets, messages that are hidden no longer."""
        quoted, self._quoted = self._quoted, {}
        now_ms = self._venue.clock.wall_ms()
        for ticker in quoted:
            body = messages.ticker(self._market(ticker), self._venue.exchange.book(ticker), now_ms)
            for subscription in self._audience.following("ticker", ticker):
                subscription.push("ticker", body)
        still = [w for w in self._withheld if self._venue.faults.hides(w.account, w.client_order_id)]
        due, self._withheld = [w for w in self._withheld if w not in still], still
        for held in due:
            self._send_private(held)
        if quoted and self._venue.exchange.dialect.unknown_is_sprinkled:
            for connection in self._audience.everybody():
                connection.enqueue(sprinkle.FRAME)

    def break_channel(self, member: str, channel: str) -> None:
        """The channel fails for a member: error 10, and its subscriptions are dead."""
        for connection in self._audience.of(member):
            for subscription in [s for s in connection.subscriptions.values() if s.channel == channel]:
                connection.kill(subscription, 10)

    # Exchange events

    def on_event(self, event: ExchangeEvent) -> None:
        match event:
            case BookChanged():
                self._on_book(event)
            case Traded():
                self._on_trade(event)
            case Filled():
                self._on_fill(event)
            case OrderChanged():
                self._on_order(event)
            case MarketChanged():
                self._on_market(event)
            case GroupChanged():
                self._on_group(event)
            case FeesChanged():
                self._tell_all("event_fee_update", messages.fee_update(event))

    def _on_book(self, change: BookChanged) -> None:
        self._note_quote(change.ticker)
        following = self._audience.following("orderbook_delta", change.ticker)
        if following and change.ticker not in self._venue.faults.frozen:
            self._send_delta(change, following)

    def _send_delta(self, change: BookChanged, following: list[Subscription]) -> None:
        market = self._market(change.ticker)
        owner = self._venue.exchange.accounts.get(change.cause_account)
        if not change.cause_client_order_id or self._venue.faults.hides(
            change.cause_account, change.cause_client_order_id
        ):
            owner = None
        shared: dict[bool, bytes] = {}
        for subscription in following:
            form = subscription.use_yes_price
            if owner is not None and subscription.connection.sees(owner):
                body = messages.delta(market, change, yes_price=form, owner=owner)
            else:
                body = shared.get(form) or messages.delta(market, change, yes_price=form)
                shared[form] = body
            subscription.push("orderbook_delta", body)

    def _on_trade(self, event: Traded) -> None:
        self._note_quote(event.ticker)
        if following := self._audience.following("trade", event.ticker):
            body = messages.trade(self._venue.exchange, event)
            for subscription in following:
                subscription.push("trade", body)

    def _on_fill(self, event: Filled) -> None:
        exchange, fill = self._venue.exchange, event.fill
        account = exchange.account(event.account)
        if not self._audience.of(account.member):
            return
        position = messages.market_position(account, fill.ticker, account.holding(fill.ticker))
        for channel, kind, body in (
            ("fill", "fill", messages.fill(exchange, account, fill)),
            ("market_positions", "market_position", position),
        ):
            held = _Withheld(fill.client_order_id, event.account, channel, fill.ticker, kind, body)
            self._send_private(held)

    def _on_order(self, event: OrderChanged) -> None:
        exchange, order = self._venue.exchange, event.order
        account = exchange.account(event.account)
        if self._audience.of(account.member):
            body = messages.user_order(exchange, account, order, event.reason)
            held = _Withheld(
                order.client_order_id, event.account, "user_orders", order.ticker, "user_order", body
            )
            self._send_private(held)

    def _on_market(self, event: MarketChanged) -> None:
        exchange, market = self._venue.exchange, self._market(event.ticker)
        listed = exchange.events[market.spec.event_ticker]
        if event.kind == "created" and listed.markets[0].ticker == event.ticker:
            self._tell_all("event_lifecycle", messages.event_listed(listed))
        if body := messages.lifecycle(exchange, market, event.kind):
            self._tell_all("market_lifecycle_v2", body)

    def _on_group(self, event: GroupChanged) -> None:
        account, body = self._venue.exchange.account(event.account), messages.order_group(event)
        for subscription in self._audience.following("order_group_updates", ALL):
            if subscription.connection.sees(account):
                subscription.push("order_group_updates", body)

    def follows_index(self, index_id: str) -> bool:
        """Whether anybody does."""
        return self._audience.follows("cfbenchmarks_value", index_id)

    def follows_fast_index(self, index_id: str) -> bool:
        """Whether anybody does, on the fast channel."""
        return self._audience.follows("cfbenchmarks_value_5hz", index_id)

    def follows_underlying(self, ticker: str) -> bool:
        """Whether anybody does."""
        return self._audience.follows("pyth_value", ticker)

    def tell_underlying(self, ticker: str, body: bytes) -> None:
        for subscription in self._audience.following("pyth_value", ticker):
            subscription.push("pyth_value", body)

    def _on_tick(self, tick: Tick) -> None:
        if following := self._audience.following("cfbenchmarks_value", tick.index_id):
            body = indices.body(tick, self._venue.clock.wall_ms())
            for subscription in following:
                subscription.push("cfbenchmarks_value", body)

    def _on_fast(self, tick: Between) -> None:
        if following := self._audience.following("cfbenchmarks_value_5hz", tick.index_id):
            body = indices.fast_body(tick, self._venue.clock.wall_ms())
            for subscription in following:
                subscription.push("cfbenchmarks_value_5hz", body)

    def _tell_all(self, kind: str, body: bytes) -> None:
        """What concerns everybody goes to the life-cycle channel."""
        for subscription in self._audience.following("market_lifecycle_v2", ALL):
            subscription.push(kind, body)

    def _send_private(self, message: _Withheld) -> None:
        if self._venue.faults.hides(message.account, message.client_order_id):
            self._withheld.append(message)
            return
        account = self._venue.exchange.account(message.account)
        for subscription in self._audience.following(message.channel, message.ticker):
            if subscription.connection.sees(account):
                subscription.push(message.kind, message.body)

    # Faults

    def _on_fault(self, event: FaultEvent) -> None:
        match event:
            case BooksFroze():
                for ticker in sorted(event.tickers):
                    self._garble(ticker)
            case BooksThawed():
                for ticker in sorted(event.tickers):
                    for subscription in self._audience.following("orderbook_delta", ticker):
                        self._audience.snapshot(subscription, ticker)
            case SequenceGapped():
                for connection in self._audience.of(event.account):
                    for subscription in connection.subscriptions.values():
                        subscription.seq += 1
            case SocketsDropped():
                for connection in self._audience.of(event.account):
                    if connection.dropped is not None:
                        connection.dropped()

    def _garble(self, ticker: str) -> None:
        market, book = self._market(ticker), self._venue.exchange.book(ticker)
        change = messages.corrupt_delta(market, book, self._venue.clock.wall_ms())
        self._send_delta(change, self._audience.following("orderbook_delta", ticker))

    # Shared

    def _note_quote(self, ticker: str) -> None:
        if self._audience.follows("ticker", ticker):
            self._quoted[ticker] = None

    def _market(self, ticker: str) -> Market:
        return self._venue.exchange.markets[ticker]

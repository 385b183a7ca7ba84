"""The stream side: exchange events to subscribers, commands to subscriptions.

Book deltas are encoded once per price form and shared. Private messages go to their account's
connections only. Ticker messages are gathered and sent by ``pulse``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from core.sim.contracts import Market
from core.sim.events import (
    BookChanged,
    ExchangeEvent,
    Filled,
    GroupChanged,
    MarketChanged,
    OrderChanged,
    Traded,
)
from core.sim.faults import BooksFroze, BooksThawed, FaultEvent, SequenceGapped, SocketsDropped
from core.sim.kalshi import messages
from core.sim.kalshi.call import UnreadableError, Venue, decoded
from core.sim.kalshi.connection import (
    CHANNELS,
    UNFILTERED,
    Command,
    CommandError,
    Connection,
    Params,
    Subscription,
)

_ALL = ""
"""Key of those who follow a channel for every market."""


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
        self._connections: dict[str, list[Connection]] = {}
        self._followers: dict[str, dict[str, list[Subscription]]] = {c: {} for c in CHANNELS}
        self._quoted: dict[str, None] = {}
        self._withheld: list[_Withheld] = []
        self._commands: dict[str, Callable[[Connection, Command], None]] = {
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
            "update_subscription": self._update,
            "list_subscriptions": _list,
        }
        venue.exchange.listeners.append(self.on_event)
        venue.faults.watchers.append(self._on_fault)

    # Connections

    def join(self, connection: Connection) -> None:
        connection.on_end = self._forget
        self._connections.setdefault(connection.account, []).append(connection)

    def leave(self, connection: Connection) -> None:
        for subscription in list(connection.subscriptions.values()):
            connection.end(subscription)
        self._connections[connection.account].remove(connection)

    def pulse(self) -> None:
        """Send what was gathered: tickers of changed markets, messages that are hidden no longer."""
        quoted, self._quoted = self._quoted, {}
        now_ms = self._venue.clock.wall_ms()
        for ticker in quoted:
            market = self._market(ticker)
            body = messages.ticker(market, self._venue.exchange.book(ticker), now_ms)
            for subscription in self._following("ticker", ticker):
                subscription.push("ticker", body)
        still = [w for w in self._withheld if self._venue.faults.hides(w.account, w.client_order_id)]
        due, self._withheld = [w for w in self._withheld if w not in still], still
        for held in due:
            self._send_private(held)

    # Commands

    def handle(self, connection: Connection, text: str | bytes) -> None:
        """Carry out one command; every outcome is a message."""
        try:
            command = decoded(text, Command)
        except UnreadableError:
            connection.refuse(0, CommandError(1))
            return
        try:
            handler = self._commands.get(command.cmd)
            if handler is None:
                raise CommandError(5)
            handler(connection, command)
        except CommandError as error:
            connection.refuse(command.id, error)

    def _subscribe(self, connection: Connection, command: Command) -> None:
        params = _params(command)
        if not params.channels:
            raise CommandError(3)
        if any(channel not in CHANNELS for channel in params.channels):
            raise CommandError(8)
        if params.market_ticker is not None and params.market_tickers is not None:
            raise CommandError(11)
        if "orderbook_delta" in params.channels and not params.tickers:
            raise CommandError(14)
        self._check_tickers(params.tickers)
        for channel in params.channels:
            subscription = connection.open(channel, params)
            if channel in UNFILTERED:
                subscription.tickers = None
            for ticker in _keys(subscription):
                self._followers[channel].setdefault(ticker, []).append(subscription)
            connection.answer("subscribed", command.id, {"channel": channel, "sid": subscription.sid})
            self._introduce(subscription, params.tickers, initial=params.send_initial_snapshot)

    def _introduce(self, subscription: Subscription, tickers: Iterable[str], *, initial: bool) -> None:
        """What a subscriber gets at once: books, and tickers where asked for."""
        if subscription.channel == "orderbook_delta":
            for ticker in tickers:
                self._snapshot(subscription, ticker)
        elif subscription.channel == "ticker" and initial:
            now_ms = self._venue.clock.wall_ms()
            for ticker in tickers:
                book = self._venue.exchange.book(ticker)
                subscription.push("ticker", messages.ticker(self._market(ticker), book, now_ms))

    def _unsubscribe(self, connection: Connection, command: Command) -> None:
        params = _params(command)
        if not params.sids:
            raise CommandError(4)
        for sid in params.sids:
            subscription = connection.subscriptions.get(sid)
            if subscription is None:
                connection.refuse(command.id, CommandError(7))
                continue
            connection.end(subscription)
            subscription.reply("unsubscribed", command.id)

    def _update(self, connection: Connection, command: Command) -> None:
        params = _params(command)
        sids = [*params.sids, *([params.sid] if params.sid is not None else [])]
        if len(sids) != 1:
            raise CommandError(12)
        subscription = connection.subscriptions.get(sids[0])
        if subscription is None:
            raise CommandError(7)
        if not params.action:
            raise CommandError(15)
        if params.action not in ("add_markets", "delete_markets", "get_snapshot"):
            raise CommandError(13)
        if not params.tickers:
            raise CommandError(14)
        self._check_tickers(params.tickers)
        if params.action == "get_snapshot":
            if subscription.channel != "orderbook_delta":
                raise CommandError(13)
            for ticker in params.tickers:
                self._snapshot(subscription, ticker, reply_to=command.id)
            return
        if subscription.tickers is None:
            raise CommandError(13)
        fresh = self._change_markets(subscription, params)
        listed = {} if subscription.skip_ticker_ack else {"market_tickers": list(subscription.tickers)}
        subscription.reply("ok", command.id, msgspec.json.encode(listed))
        self._introduce(subscription, fresh, initial=params.send_initial_snapshot)

    def _change_markets(self, subscription: Subscription, params: Params) -> list[str]:
        """Add or remove markets; returns those that are new."""
        assert subscription.tickers is not None
        followers, fresh = self._followers[subscription.channel], []
        for ticker in params.tickers:
            if params.action == "delete_markets":
                if ticker in subscription.tickers:
                    del subscription.tickers[ticker]
                    followers[ticker].remove(subscription)
            elif ticker not in subscription.tickers:
                subscription.tickers[ticker] = None
                followers.setdefault(ticker, []).append(subscription)
                fresh.append(ticker)
        return fresh

    def _check_tickers(self, tickers: Iterable[str]) -> None:
        for ticker in tickers:
            if ticker not in self._venue.exchange.markets:
                raise CommandError(11, market_ticker=ticker)

    def _forget(self, subscription: Subscription) -> None:
        followers = self._followers[subscription.channel]
        for ticker in _keys(subscription):
            followers[ticker].remove(subscription)

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

    def _on_book(self, change: BookChanged) -> None:
        self._note_quote(change.ticker)
        following = self._followers["orderbook_delta"].get(change.ticker)
        if following and change.ticker not in self._venue.faults.frozen:
            self._send_delta(change, following)

    def _send_delta(self, change: BookChanged, following: list[Subscription]) -> None:
        market = self._market(change.ticker)
        owner = change.cause_account if change.cause_client_order_id else None
        if owner and self._venue.faults.hides(owner, change.cause_client_order_id):
            owner = None
        shared: dict[bool, bytes] = {}
        for subscription in list(following):
            form = subscription.use_yes_price
            if subscription.connection.account == owner:
                body = messages.delta(market, change, yes_price=form, own=True)
            else:
                body = shared.get(form) or messages.delta(market, change, yes_price=form)
                shared[form] = body
            subscription.push("orderbook_delta", body)

    def _on_trade(self, event: Traded) -> None:
        self._note_quote(event.ticker)
        if following := self._following("trade", event.ticker):
            body = messages.trade(event)
            for subscription in following:
                subscription.push("trade", body)

    def _on_fill(self, event: Filled) -> None:
        if event.account not in self._connections:
            return
        account, fill = self._venue.exchange.account(event.account), event.fill
        shard = self._market(fill.ticker).spec.exchange_index
        position = messages.market_position(account, fill.ticker, account.holding(fill.ticker))
        for channel, kind, body in (
            ("fill", "fill", messages.fill(fill, shard)),
            ("market_positions", "market_position", position),
        ):
            held = _Withheld(fill.client_order_id, event.account, channel, fill.ticker, kind, body)
            self._send_private(held)

    def _on_order(self, event: OrderChanged) -> None:
        if event.account not in self._connections:
            return
        order, account = event.order, self._venue.exchange.account(event.account)
        shard = self._market(order.ticker).spec.exchange_index
        body = messages.user_order(account, order, event.reason, shard)
        self._send_private(
            _Withheld(order.client_order_id, event.account, "user_orders", order.ticker, "user_order", body)
        )

    def _on_market(self, event: MarketChanged) -> None:
        exchange, market = self._venue.exchange, self._market(event.ticker)
        bodies: list[tuple[str, bytes]] = []
        listed = exchange.events[market.spec.event_ticker]
        if event.kind == "created" and listed.markets[0].ticker == event.ticker:
            bodies.append(("event_lifecycle", messages.event_listed(listed)))
        if body := messages.lifecycle(exchange, market, event.kind):
            bodies.append(("market_lifecycle_v2", body))
        for kind, body in bodies:
            for subscription in self._following("market_lifecycle_v2", _ALL):
                subscription.push(kind, body)

    def _on_group(self, event: GroupChanged) -> None:
        body = messages.order_group(event)
        for subscription in self._following("order_group_updates", _ALL):
            if subscription.connection.account == event.account:
                subscription.push("order_group_updates", body)

    def _send_private(self, message: _Withheld) -> None:
        if self._venue.faults.hides(message.account, message.client_order_id):
            self._withheld.append(message)
            return
        for subscription in self._following(message.channel, message.ticker):
            if subscription.connection.account == message.account:
                subscription.push(message.kind, message.body)

    # Faults

    def _on_fault(self, event: FaultEvent) -> None:
        match event:
            case BooksFroze():
                for ticker in sorted(event.tickers):
                    self._garble(ticker)
            case BooksThawed():
                for ticker in sorted(event.tickers):
                    for subscription in self._following("orderbook_delta", ticker):
                        self._snapshot(subscription, ticker)
            case SequenceGapped():
                for connection in self._connections.get(event.account, []):
                    for subscription in connection.subscriptions.values():
                        subscription.seq += 1
            case SocketsDropped():
                for connection in list(self._connections.get(event.account, [])):
                    if connection.dropped is not None:
                        connection.dropped()

    def _garble(self, ticker: str) -> None:
        market, book = self._market(ticker), self._venue.exchange.book(ticker)
        change = messages.corrupt_delta(market, book, self._venue.clock.wall_ms())
        self._send_delta(change, self._following("orderbook_delta", ticker))

    # Shared

    def _snapshot(self, subscription: Subscription, ticker: str, *, reply_to: int = 0) -> None:
        if ticker not in self._venue.faults.frozen:
            book = self._venue.exchange.book(ticker)
            body = messages.snapshot(self._market(ticker), book, yes_price=subscription.use_yes_price)
            subscription.push("orderbook_snapshot", body, reply_to=reply_to)

    def _note_quote(self, ticker: str) -> None:
        followers = self._followers["ticker"]
        if followers.get(ticker) or followers.get(_ALL):
            self._quoted[ticker] = None

    def _following(self, channel: str, ticker: str) -> list[Subscription]:
        """A copy: a push may end a subscription."""
        followers = self._followers[channel]
        return [*followers.get(ticker, ()), *(followers.get(_ALL, ()) if ticker else ())]

    def _market(self, ticker: str) -> Market:
        return self._venue.exchange.markets[ticker]


def _keys(subscription: Subscription) -> Iterable[str]:
    return (_ALL,) if subscription.tickers is None else subscription.tickers


def _list(connection: Connection, command: Command) -> None:
    rows = [{"channel": s.channel, "sid": s.sid} for s in connection.subscriptions.values()]
    connection.answer("ok", command.id, rows)


def _params(command: Command) -> Params:
    if command.params is None:
        raise CommandError(2)
    return command.params

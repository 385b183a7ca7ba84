"""Both sockets: public books and prints, private orders and trades.

No sequence numbers, no replay; a subscription to what nobody knows is silence. A frame is one object
or an array of them. Polymarket docs: WebSocket channels.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import Any, Literal

import msgspec

from core.sim.fates import Delivered, Lost
from core.sim.fault_kinds import Matter
from core.sim.polymarket import messages, shapes
from core.sim.polymarket.call import Venue
from core.sim.polymarket.contracts import Market
from core.sim.polymarket.events import (
    BookChanged,
    Event,
    MarketChanged,
    MarketEvent,
    OrderChanged,
    TradeChanged,
)
from core.sim.polymarket.keys import ApiKey
from core.sim.polymarket.orders import Stage
from core.sim.polymarket.shapes import Wire

QUEUE_MAX = 10_000
"""Frames a connection may have waiting; one more and it is closed."""
PING, PONG = "PING", "PONG"


class Channel(Enum):
    MARKET = "/ws/market"
    USER = "/ws/user"


class _Auth(msgspec.Struct, frozen=True, rename="camel"):
    api_key: str = ""
    secret: str = ""
    passphrase: str = ""


class _Spoken(msgspec.Struct, frozen=True):
    """Anything a client may say; each channel takes the fields it knows."""

    type: str = ""
    operation: Literal["", "subscribe", "unsubscribe"] = ""
    assets_ids: list[str] = []
    markets: list[str] = []
    auth: _Auth | None = None
    custom_feature_enabled: bool | None = None
    initial_dump: bool = True


class Connection:
    """One socket without its socket: frames go into ``queue``, ``wake`` is called for the first of them."""

    def __init__(self, channel: Channel, wake: Callable[[], None], close: Callable[[], None]) -> None:
        self.channel, self._wake, self.close = channel, wake, close
        self.queue: deque[str] = deque()
        self.assets: dict[str, None] = {}
        self.markets: dict[str, None] | None = {}
        """Conditions whose private events are sent; None for all."""
        self.custom = False
        self.key: ApiKey | None = None
        self.held_back: str | None = None

    def enqueue(self, frame: str) -> None:
        if len(self.queue) >= QUEUE_MAX:
            self.close()
            return
        self.queue.append(frame)
        if len(self.queue) == 1:
            self._wake()


class Stream:
    """Every connection of one venue."""

    def __init__(self, venue: Venue) -> None:
        self._venue, self._exchange = venue, venue.exchange
        self._connections: list[Connection] = []
        self._tops: dict[str, tuple[str, str]] = {}
        self._frozen: dict[str, Wire] = {}
        """Books that stand still, by token: what is said of them whatever happens."""
        self.on_subscribe: list[Callable[[], None]] = []
        """Called for every subscription to the market channel."""
        self.sent = 0
        """Frames queued so far, over all connections."""
        self._exchange.listeners.append(self._hear)

    def join(self, connection: Connection) -> None:
        self._connections.append(connection)

    def leave(self, connection: Connection) -> None:
        if connection in self._connections:
            self._connections.remove(connection)

    def handle(self, connection: Connection, text: str) -> None:
        """Take one frame of a client. A user channel without a login that holds is closed."""
        if text == PING:
            connection.enqueue(PONG)
            return
        try:
            spoken = msgspec.json.decode(text, type=_Spoken)
        except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
            connection.enqueue("INVALID OPERATION")
            return
        if connection.channel is Channel.MARKET:
            self._subscribe_market(connection, spoken)
        else:
            self._subscribe_user(connection, spoken)

    # Books that flow and stand still

    def freeze(self, condition_id: str) -> None:
        """From now on every message about a market's books is the one that is true now, its time too."""
        for token in self._exchange.markets[condition_id].spec.tokens:
            self._frozen.setdefault(token, self._book(token))

    def thaw(self, condition_id: str) -> None:
        """Whoever follows the market gets its books as they are."""
        market = self._exchange.markets[condition_id]
        for token in market.spec.tokens:
            self._frozen.pop(token, None)
        self._tell_books(market)

    # Subscriptions

    def _subscribe_market(self, connection: Connection, spoken: _Spoken) -> None:
        if spoken.custom_feature_enabled is not None:
            connection.custom = spoken.custom_feature_enabled
        if spoken.operation == "unsubscribe":
            for asset in spoken.assets_ids:
                connection.assets.pop(asset, None)
            return
        fresh = [a for a in dict.fromkeys(spoken.assets_ids) if a not in connection.assets]
        connection.assets |= dict.fromkeys(fresh)
        known = [a for a in fresh if a in self._exchange.tokens]
        if known and spoken.initial_dump:
            self._send(connection, Matter.SNAPSHOT, [self._book(asset) for asset in known], "\n")
        for told in self.on_subscribe:
            told()

    def _subscribe_user(self, connection: Connection, spoken: _Spoken) -> None:
        if connection.key is None:
            auth = spoken.auth or _Auth()
            connection.key = self._venue.keys.named(auth.api_key, auth.secret, auth.passphrase)
            if connection.key is None:
                connection.close()
                return
            connection.markets = dict.fromkeys(m.lower() for m in spoken.markets) or None
            return
        named = dict.fromkeys(m.lower() for m in spoken.markets)
        if spoken.operation == "unsubscribe":
            for market in named:
                (connection.markets or {}).pop(market, None)
        elif connection.markets is not None:
            connection.markets |= named

    # Events

    def _hear(self, event: Event) -> None:
        match event:
            case BookChanged():
                self._on_book(event)
            case OrderChanged():
                self._on_order(event)
            case TradeChanged():
                self._on_trade(event)
            case MarketChanged():
                self._on_market(event)

    def _on_book(self, change: BookChanged) -> None:
        market, now_ms = self._exchange.markets[change.condition_id], self._now_ms()
        following = self._following(market)
        if not following:
            return
        if market.spec.tokens[0] in self._frozen:
            self._tell_books(market)
            return
        body = messages.price_change(self._exchange, market, change, now_ms)
        for connection in following:
            self._send(connection, Matter.DELTA, body)
        for outcome, token in enumerate(market.spec.tokens):
            top = messages.best(self._exchange, market, outcome)
            if self._tops.get(token) != top:
                self._tops[token] = top
                self._tell_top(market, token, following, now_ms)

    def _tell_top(self, market: Market, token: str, following: list[Connection], now_ms: int) -> None:
        body = messages.best_bid_ask(market, token, self._tops[token], now_ms)
        for connection in following:
            if connection.custom and token in connection.assets:
                self._send(connection, Matter.PUBLIC, body)

    def _on_order(self, event: OrderChanged) -> None:
        order = event.order
        for connection in self._users(order.owner, order.condition_id):
            body = shapes.stream_order(self._exchange, order, event.kind, self._now_ms())
            self._send(connection, Matter.PRIVATE, body)

    def _on_trade(self, event: TradeChanged) -> None:
        trade, now_ms = event.trade, self._now_ms()
        for owner in dict.fromkeys([trade.taker.owner, *(fill.order.owner for fill in trade.makers)]):
            for connection in self._users(owner, trade.condition_id):
                for role in shapes.roles(trade, owner):
                    body = shapes.stream_trade(self._exchange, trade, owner, role, now_ms)
                    self._send(connection, Matter.FILL, body)
        if trade.stage is Stage.MATCHED:
            self._print(event)

    def _print(self, event: TradeChanged) -> None:
        """The public side of a match: its print, and whole books after it."""
        market, now_ms = self._exchange.markets[event.trade.condition_id], self._now_ms()
        for connection in self._following(market):
            if event.trade.taker.token_id in connection.assets:
                body = messages.last_trade(market, event.trade, now_ms)
                self._send(connection, Matter.PUBLIC, body)
            followed = [token for token in market.spec.tokens if token in connection.assets]
            self._send(connection, Matter.SNAPSHOT, [self._book(token) for token in followed])

    def _on_market(self, event: MarketChanged) -> None:
        market, now_ms = self._exchange.markets[event.condition_id], self._now_ms()
        match event.kind:
            case MarketEvent.LISTED:
                self._tell_custom(self._markets(), messages.new_market(market, now_ms))
            case MarketEvent.RESOLVED:
                self._tell_custom(self._following(market), messages.resolved(market, now_ms))
            case MarketEvent.TICK:
                assert event.tick_before is not None
                for token in market.spec.tokens:
                    body = messages.tick_change(market, token, event.tick_before, now_ms)
                    for connection in self._following(market):
                        if token in connection.assets:
                            self._send(connection, Matter.PUBLIC, body)
            case MarketEvent.CLEARED:
                self._tell_books(market)
            case MarketEvent.CLOSED:
                pass

    def _tell_books(self, market: Market) -> None:
        for connection in self._following(market):
            books = [self._book(token) for token in market.spec.tokens if token in connection.assets]
            self._send(connection, Matter.SNAPSHOT, books)

    def _tell_custom(self, connections: list[Connection], body: Wire) -> None:
        for connection in connections:
            if connection.custom:
                self._send(connection, Matter.PUBLIC, body)

    # Who hears what

    def _markets(self) -> list[Connection]:
        return [c for c in self._connections if c.channel is Channel.MARKET]

    def _following(self, market: Market) -> list[Connection]:
        """Whoever follows either outcome."""
        return [c for c in self._markets() if any(token in c.assets for token in market.spec.tokens)]

    def _users(self, owner: str, condition_id: str) -> list[Connection]:
        return [
            c
            for c in self._connections
            if c.key is not None and c.key.key == owner and (c.markets is None or condition_id in c.markets)
        ]

    def _book(self, token: str) -> Wire:
        if token in self._frozen:
            return self._frozen[token]
        return shapes.stream_book(self._exchange, self._exchange.tokens[token], token, self._now_ms())

    def _send(self, connection: Connection, matter: Matter, body: Any, end: str = "") -> None:
        """Queue a frame, as the switched-on faults let it through."""
        frame = msgspec.json.encode(body).decode() + end
        fate = self._venue.faults.frame(matter)
        if isinstance(fate, Lost):
            return
        if isinstance(fate, Delivered) and fate.overtakes and connection.held_back is None:
            connection.held_back = frame
            return
        for _ in range(fate.copies if isinstance(fate, Delivered) else 1):
            self.sent += 1
            connection.enqueue(frame)
        if connection.held_back is not None:
            late, connection.held_back = connection.held_back, None
            self.sent += 1
            connection.enqueue(late)

    def _now_ms(self) -> int:
        return self._venue.faults.now_ms()

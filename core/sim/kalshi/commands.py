"""What stream clients may ask for: subscribe, change, list, unsubscribe. Kalshi API: WebSocket envelope."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from core.sim.dialect import Resubscribed
from core.sim.kalshi import messages
from core.sim.kalshi.audience import Audience
from core.sim.kalshi.call import Venue
from core.sim.kalshi.channels import CHANNELS, Filter
from core.sim.kalshi.connection import Command, CommandError, Connection, Params, Subscription
from core.sim.kalshi.pyth import UNDERLYINGS
from core.sim.requests import UnreadableError, decoded

MARKETS_MAX = 20_000
"""Markets one subscription may name; the real limit is unpublished."""

_MARKET_ACTIONS = ("add_markets", "delete_markets", "get_snapshot")


class _Publication(msgspec.Struct, frozen=True):
    """One kind of value beside the markets, and how it is managed."""

    field: str
    """In which the names stand."""
    actions: tuple[str, str, str]
    """To follow more, to follow less, to be told what there is."""
    listed: str
    """How the type of the last one's reply ends."""
    none_named: int
    """Error where a name is needed."""


_PUBLICATIONS = {
    Filter.INDICES: _Publication(
        "index_ids", ("subscribe_indices", "unsubscribe_indices", "indexlist"), "indexlist", 24
    ),
    Filter.UNDERLYINGS: _Publication(
        "underlying_tickers",
        ("subscribe_underlyings", "unsubscribe_underlyings", "underlying_list"),
        "underlying_list",
        28,
    ),
}


class Commands:
    """Carries commands out on one venue's audience."""

    def __init__(self, venue: Venue, audience: Audience) -> None:
        self._venue, self._audience = venue, audience
        self._by_name: dict[str, Callable[[Connection, Command], None]] = {
            "subscribe": self._subscribe,
            "unsubscribe": _unsubscribe,
            "update_subscription": self._update,
            "list_subscriptions": _list,
        }

    def handle(self, connection: Connection, text: str | bytes) -> None:
        """Carry out one command; every outcome is a message."""
        try:
            command = decoded(text, Command)
        except UnreadableError:
            connection.refuse(0, CommandError(1))
            return
        try:
            if not connection.may_command():
                raise CommandError(27)
            handler = self._by_name.get(command.cmd)
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
        params = self._named(params, [CHANNELS[channel].by_id for channel in params.channels])
        for channel in params.channels:
            if CHANNELS[channel].filter is Filter.TICKERS_REQUIRED and not params.tickers:
                raise CommandError(14)
            if CHANNELS[channel].filter is Filter.INDICES:
                self._check_indices(params.index_ids or [])
        _check_count(len(params.tickers))
        for channel in params.channels:
            subscription, fresh = self._open(connection, channel, params)
            connection.answer("subscribed", command.id, {"channel": channel, "sid": subscription.sid})
            self._introduce(subscription, fresh, initial=params.send_initial_snapshot)

    def _open(self, connection: Connection, channel: str, params: Params) -> tuple[Subscription, list[str]]:
        """A new subscription, or the one there is of this channel where that is the custom."""
        if self._venue.exchange.dialect.resubscribed is Resubscribed.SAME_SID:
            for there in connection.subscriptions.values():
                if there.channel == channel:
                    named = params.tickers or params.published(CHANNELS[channel].filter)
                    return there, self._audience.add(there, named)
        if params.use_yes_price is None:
            default = self._venue.exchange.dialect.yes_price_is_default
            params = msgspec.structs.replace(params, use_yes_price=default)
        subscription = connection.open(channel, params)
        self._audience.join(subscription)
        return subscription, params.tickers

    def _introduce(self, subscription: Subscription, tickers: Iterable[str], *, initial: bool) -> None:
        """What a subscriber gets at once: books, and tickers where asked for."""
        if subscription.channel == "orderbook_delta":
            for ticker in tickers:
                self._audience.snapshot(subscription, ticker)
        elif subscription.channel == "ticker" and initial:
            exchange, now_ms = self._venue.exchange, self._venue.clock.wall_ms()
            for ticker in tickers:
                body = messages.ticker(exchange.markets[ticker], exchange.book(ticker), now_ms)
                subscription.push("ticker", body)

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
        of = CHANNELS[subscription.channel]
        publication = _PUBLICATIONS.get(of.filter)
        if publication is not None and params.action in publication.actions:
            self._update_published(subscription, command.id, params, publication)
        elif publication is None and params.action in _MARKET_ACTIONS:
            self._update_markets(subscription, command.id, self._named(params, [of.by_id]))
        else:
            raise CommandError(13)

    def _update_markets(self, subscription: Subscription, reply_to: int, params: Params) -> None:
        if not params.tickers:
            raise CommandError(14)
        if params.action == "get_snapshot":
            if subscription.channel != "orderbook_delta":
                raise CommandError(13)
            for ticker in params.tickers:
                self._audience.snapshot(subscription, ticker, reply_to=reply_to)
            return
        if subscription.keys is None:
            raise CommandError(13)
        fresh: list[str] = []
        if params.action == "add_markets":
            _check_count(len(subscription.keys) + len(params.tickers))
            fresh = self._audience.add(subscription, params.tickers)
        else:
            self._audience.remove(subscription, params.tickers)
        subscription.reply("ok", reply_to, msgspec.json.encode(self._followed(subscription)))
        self._introduce(subscription, fresh, initial=params.send_initial_snapshot)

    def _update_published(
        self, subscription: Subscription, reply_to: int, params: Params, of: _Publication
    ) -> None:
        more, _, listing = of.actions
        narrowed = CHANNELS[subscription.channel].filter
        if params.action == listing:
            known = self._venue.indices.ids if narrowed is Filter.INDICES else list(UNDERLYINGS)
            kind = f"{subscription.channel}_{of.listed}"
            subscription.reply(kind, reply_to, msgspec.json.encode({of.field: known}))
            return
        named = params.published(narrowed)
        if not named:
            raise CommandError(of.none_named)
        if narrowed is Filter.INDICES:
            self._check_indices(named)
        if params.action == more:
            self._audience.add(subscription, named)
        else:
            self._audience.remove(subscription, named)
        followed = ["all"] if subscription.keys is None else list(subscription.keys)
        subscription.reply("ok", reply_to, msgspec.json.encode({of.field: followed}))

    def _followed(self, subscription: Subscription) -> dict[str, list[str]]:
        """The markets after a change, as far as the subscriber wants to be told."""
        if subscription.skip_ticker_ack or subscription.keys is None:
            return {}
        followed = {"market_tickers": list(subscription.keys)}
        if subscription.by_id:
            markets = self._venue.exchange.markets
            followed["market_ids"] = [markets[ticker].market_id for ticker in subscription.keys]
        return followed

    def _named(self, params: Params, by_id: list[bool]) -> Params:
        """The parameters with their markets as known tickers, in whichever one form they came."""
        forms = (params.market_ticker, params.market_tickers, params.market_id, params.market_ids)
        if sum(form is not None for form in forms) > 1 or (params.ids and not all(by_id)):
            raise CommandError(11)
        markets = self._venue.exchange.markets
        if params.ids:
            named = {market.market_id: ticker for ticker, market in markets.items()}
            if any(of not in named for of in params.ids):
                raise CommandError(11)
            return msgspec.structs.replace(params, market_tickers=[named[of] for of in params.ids])
        for ticker in params.tickers:
            if ticker not in markets:
                raise CommandError(11, market_ticker=ticker)
        return params

    def _check_indices(self, ids: list[str]) -> None:
        if any(of not in self._venue.indices.ids for of in ids if of != "all"):
            raise CommandError(11)


def _check_count(markets: int) -> None:
    if markets > MARKETS_MAX:
        raise CommandError(26)


def _unsubscribe(connection: Connection, command: Command) -> None:
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


def _list(connection: Connection, command: Command) -> None:
    rows = [{"channel": s.channel, "sid": s.sid} for s in connection.subscriptions.values()]
    connection.answer("ok", command.id, rows)


def _params(command: Command) -> Params:
    if command.params is None:
        raise CommandError(2)
    return command.params

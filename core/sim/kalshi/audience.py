"""Who follows what: connections by member, subscriptions by channel and market."""

from __future__ import annotations

from collections.abc import Iterable

from core.sim.kalshi import messages
from core.sim.kalshi.call import Venue
from core.sim.kalshi.channels import CHANNELS
from core.sim.kalshi.connection import ALL_NAMES, Connection, Subscription

ALL = ""
"""Key of those who follow everything on a channel."""


class Audience:
    """Everybody on the stream of one venue."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._connections: dict[str, list[Connection]] = {}
        self._followers: dict[str, dict[str, list[Subscription]]] = {c: {} for c in CHANNELS}

    # Connections

    def connect(self, connection: Connection) -> None:
        connection.on_end = self._forget
        self._connections.setdefault(connection.account, []).append(connection)

    def disconnect(self, connection: Connection) -> None:
        for subscription in list(connection.subscriptions.values()):
            connection.end(subscription)
        self._connections[connection.account].remove(connection)

    def of(self, member: str) -> list[Connection]:
        """A copy: what is sent may end a connection."""
        return list(self._connections.get(member, ()))

    def everybody(self) -> list[Connection]:
        return [connection for of in self._connections.values() for connection in of]

    # Subscriptions

    def join(self, subscription: Subscription) -> None:
        for key in _keys(subscription):
            self._followers[subscription.channel].setdefault(key, []).append(subscription)

    def add(self, subscription: Subscription, named: Iterable[str]) -> list[str]:
        """Follow more; returns what is new. Who follows everything has nothing to add."""
        if subscription.keys is None:
            return []
        wanted = list(named)
        if ALL_NAMES in wanted:
            self._forget(subscription)
            subscription.keys = None
            self.join(subscription)
            return []
        fresh = [key for key in dict.fromkeys(wanted) if key not in subscription.keys]
        for key in fresh:
            subscription.keys[key] = None
            self._followers[subscription.channel].setdefault(key, []).append(subscription)
        return fresh

    def remove(self, subscription: Subscription, named: Iterable[str]) -> None:
        """Follow less; of who follows everything only everything can be taken."""
        wanted = list(named)
        if ALL_NAMES in wanted:
            self._forget(subscription)
            subscription.keys = {}
            return
        for key in wanted:
            if subscription.keys is not None and key in subscription.keys:
                del subscription.keys[key]
                self._followers[subscription.channel][key].remove(subscription)

    def following(self, channel: str, key: str) -> list[Subscription]:
        """Who follows this market or index there, a copy: a push may end a subscription."""
        followers = self._followers[channel]
        return [*followers.get(key, ()), *(followers.get(ALL, ()) if key else ())]

    def follows(self, channel: str, key: str) -> bool:
        followers = self._followers[channel]
        return bool(followers.get(key) or followers.get(ALL))

    def snapshot(self, subscription: Subscription, ticker: str, *, reply_to: int = 0) -> None:
        """Send a whole book, unless a fault has frozen it."""
        if ticker in self._venue.faults.frozen:
            return
        exchange = self._venue.exchange
        body = messages.snapshot(
            exchange.markets[ticker],
            exchange.book(ticker),
            yes_price=subscription.use_yes_price,
            best_first=exchange.dialect.best_level_is_first,
        )
        subscription.push("orderbook_snapshot", body, reply_to=reply_to)

    def _forget(self, subscription: Subscription) -> None:
        followers = self._followers[subscription.channel]
        for key in _keys(subscription):
            followers[key].remove(subscription)


def _keys(subscription: Subscription) -> Iterable[str]:
    return (ALL,) if subscription.keys is None else subscription.keys

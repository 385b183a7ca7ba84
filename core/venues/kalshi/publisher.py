"""What Kalshi publishes beside its markets, heard on a connection that is for nothing else.

The desk hears it on the connection its orders are watched on; this is for whoever asks without a desk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from core.domain.clock import Clocks
from core.venues.kalshi.channel import published
from core.venues.kalshi.facts import Denied, Fact, KeyRefused, PublicationSeen, ValueSeen
from core.venues.kalshi.hosts import Addresses
from core.venues.kalshi.publications import FAST
from core.venues.kalshi.session import Session
from core.venues.kalshi.sign import Signer
from core.venues.kalshi.stream import StreamState
from core.venues.published import Published
from core.venues.socket import SocketFactory, open_socket
from core.venues.venue import Link, LinkState

if TYPE_CHECKING:
    import random


class Hearer(Protocol):
    """Who is told, in the loop; must not block."""

    def keep(self, channel: str, frame: bytes) -> None: ...

    def hear(self, value: Published) -> None: ...

    def refuse(self, why: str) -> None: ...

    def cut(self, why: str) -> None: ...


class Publisher:
    """One connection for one hearer; ``names`` by publication are what is asked for."""

    def __init__(
        self,
        addresses: Addresses,
        signer: Signer,
        names: Mapping[str, Sequence[str]],
        hearer: Hearer,
        *,
        clocks: Clocks,
        rng: random.Random,
        sockets: SocketFactory = open_socket,
    ) -> None:
        self._hearer, self._key_refused = hearer, ""
        self._session = Session(
            addresses.ws,
            signer,
            StreamState(published(names)),
            clocks=clocks,
            rng=rng,
            sockets=sockets,
            deliver=self._deliver,
            on_link=self._on_link,
        )

    async def run(self) -> None:
        """Connect and reconnect until cancelled."""
        await self._session.run()

    def _deliver(self, fact: Fact) -> None:
        match fact:
            case PublicationSeen():
                self._hearer.keep(fact.channel, fact.frame)
            case ValueSeen():
                self._hearer.hear(fact.value)
            case Denied() if fact.channel != FAST:
                self._hearer.refuse(fact.reason)
            case KeyRefused():
                self._key_refused = fact.reason
            case _:
                pass  # nothing else was asked for

    def _on_link(self, link: Link) -> None:
        if link.state is LinkState.DOWN:
            self._hearer.cut(self._key_refused or link.detail)

"""Keeps the user channel connected: our orders and trades as long as anybody may trade for us."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Final

from core.domain.clock import Clocks
from core.venues.connection import Backoff
from core.venues.polymarket.line import RETRY_FIRST_S, RETRY_S_MAX, Line
from core.venues.polymarket.user_channel import PrivateReady, UserFact, UserTalk
from core.venues.socket import SocketFactory

if TYPE_CHECKING:
    import random

UNHEARD_MAX: Final = 3
"""Connections closed before they said anything, in a row: the venue closes wrong credentials in silence."""


class UserStream:
    """``deliver`` hears facts in the loop and must not block; ``make_talk`` begins a connection.

    ``on_change`` hears that the channel became ready or ended.
    """

    def __init__(
        self,
        url: str,
        make_talk: Callable[[], UserTalk],
        *,
        clocks: Clocks,
        rng: random.Random,
        sockets: SocketFactory,
        deliver: Callable[[UserFact], None],
        on_change: Callable[[], None],
        on_anomaly: Callable[[str, str], None],
    ) -> None:
        self._url, self._make_talk = url, make_talk
        self._clocks, self._sockets, self._deliver = clocks, sockets, deliver
        self._on_change, self._on_anomaly = on_change, on_anomaly
        self._backoff = Backoff(rng, RETRY_FIRST_S, RETRY_S_MAX)
        self._talk: UserTalk | None = None
        self._line: Line | None = None
        self.ready = False
        """Whether orders and trades arrive now."""
        self.detail = "connecting"
        """Why the last connection ended."""
        self.retry_at_ns: int | None = None

    @property
    def heartbeat_ns(self) -> int | None:
        return self._line.heartbeat_ns if self._line is not None and self.ready else None

    async def run(self) -> None:
        """Connect and reconnect until cancelled."""
        unheard = 0
        while True:
            began_ns, self.retry_at_ns = self._clocks.mono_ns(), None
            self._talk = self._make_talk()
            self._line = Line(
                "polymarket user channel",
                self._url,
                self._talk,
                clocks=self._clocks,
                sockets=self._sockets,
                deliver=self._take,
            )
            ended = await self._line.run()
            unheard = 0 if self.ready else unheard + 1
            if unheard == UNHEARD_MAX:
                self._on_anomaly(
                    "user channel", "closed again and again before it was ready: is the key right?"
                )
            self.ready, self.detail = False, str(ended)
            wait_s = self._backoff.wait_s(self._clocks.mono_ns() - began_ns)
            self.retry_at_ns = self._clocks.mono_ns() + int(wait_s * 1_000_000_000)
            self._on_change()
            await asyncio.sleep(wait_s)

    def retry(self, foreign: Collection[str]) -> None:
        """See ``UserTalk.retry``."""
        if self._talk is not None:
            for fact in self._talk.retry(foreign):
                self._take(fact)

    def _take(self, fact: UserFact) -> None:
        if isinstance(fact, PrivateReady):
            self.ready = True
            self._on_change()
        self._deliver(fact)

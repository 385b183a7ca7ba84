"""The dead-man switch: while beats arrive the venue leaves our orders alone, ten seconds after the last not.

Beats form a chain: each names the id the answer before it gave. The first one arms the switch for good, so
nothing here beats before it is asked to. A beat is withheld while the engine does not call itself fit:
silence then ends the orders, which is the point. One program an API key: two would fight over the chain.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import httpx
import msgspec

from core.domain.text import clean_text
from core.venues.endpoint import Endpoint
from core.venues.http import Answer, Call
from core.venues.limiter import Kind, Priority
from core.venues.polymarket.errors import refusal
from core.venues.polymarket.http import ClobHttp
from core.venues.retry import SECOND_NS, CallClass
from core.venues.traits import Beat
from core.venues.wire import WireError, decode

PATH: Final = "/v1/heartbeats"
BEAT_S: Final = 5.0
RETRY_S: Final = 1.0
"""A beat that was missed is not waited out."""
LAPSE_NS: Final = 10 * SECOND_NS
"""The venue cancels everything of the key this long after the last accepted beat, or up to 5 s later."""
LINKS_MAX: Final = 3
"""How often one beat follows the venue's word for the chain: more, and somebody else is beating too."""
TIMEOUT: Final = httpx.Timeout(connect=1.5, write=1.5, read=3.0, pool=1.0)
TOTAL_S: Final = 3.0


class _Asked(msgspec.Struct, frozen=True):
    heartbeat_id: str


class _Told(msgspec.Struct, frozen=True):
    heartbeat_id: object = None


_told = msgspec.json.Decoder(_Told)


class Heartbeat:
    """One API key's chain, on a connection of its own.

    ``fit`` is asked before each beat. ``on_lapse`` hears that beats are accepted again after the venue may
    have cancelled everything: what rests must be read.
    """

    def __init__(
        self, http: ClobHttp, fit: Callable[[], bool], on_lapse: Callable[[], None], path: str = PATH
    ) -> None:
        self._http, self._pool = http, http.pool(1)
        self._fit, self._on_lapse = fit, on_lapse
        # As a class of its own calls' kind cancels have no breaker: other calls that fail must not stop this.
        self._endpoint = Endpoint("POST", path, Kind.READ, 1.0, CallClass.CANCEL, ours=True)
        self._next_id, self._misses = "", 0
        self.beat: Beat | None = None
        """``None`` until the first beat was accepted: nothing is armed."""

    async def run(self) -> None:
        """Beat until cancelled. There is no way to disarm: after that the venue cancels what still rests."""
        clock = self._http.clocks
        while True:
            began_ns = clock.mono_ns()
            pause_s = BEAT_S if await self.once() else RETRY_S
            await asyncio.sleep(max(0.0, pause_s - (clock.mono_ns() - began_ns) / SECOND_NS))

    async def once(self) -> bool:
        """One beat: whether the venue accepted it."""
        if not self._fit():
            self._missed("withheld: the engine is not fit")
            return False
        reason = ""
        for _ in range(LINKS_MAX):
            sent_ns = self._http.clocks.mono_ns()
            answer = await self._send()
            if isinstance(answer, str):
                reason = answer
                break
            named = _named(answer)
            accepted = 200 <= answer.status < 300
            if accepted and named:
                self._accepted(sent_ns, named)
                return True
            if accepted or answer.status != 400 or named is None:
                reason = f"HTTP {answer.status}: {refusal(answer.status, answer.body)}"
                break
            self._next_id, reason = (
                named,
                "the venue keeps naming another beat: one more program uses this key",
            )
        self._missed(reason)
        return False

    async def _send(self) -> Answer | str:
        """The answer, or why there is none."""
        call = Call(self._endpoint, body=msgspec.json.encode(_Asked(self._next_id)))
        cost = self._endpoint.cost
        return await self._http.ask(self._pool, call, Priority.CANCEL, cost, TIMEOUT, TOTAL_S)

    def _accepted(self, sent_ns: int, next_id: str) -> None:
        before, self._next_id, self._misses = self.beat, next_id, 0
        self.beat = Beat(missed=0, cancels_ns=sent_ns + LAPSE_NS)
        if before is not None and sent_ns >= before.cancels_ns:
            self._on_lapse()

    def _missed(self, reason: str) -> None:
        self._misses += 1
        if self._misses == 1:
            self._http.on_anomaly("heartbeat", reason)
        if self.beat is not None:
            self.beat = msgspec.structs.replace(self.beat, missed=self._misses)


def _named(answer: Answer) -> str | None:
    """The beat the answer wants next, empty for a first one; ``None`` where it names none."""
    try:
        told = decode(answer.body, _told, "heartbeat").heartbeat_id
    except WireError:
        return None
    return clean_text(told, 64) if isinstance(told, str) else None

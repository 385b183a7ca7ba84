"""The user channel's logic without a socket: our orders and trades as they happen.

The secret travels in the first frame, so nothing that is sent is ever shown. The venue confirms nothing: the
channel counts as open once it says something or has not been closed for two seconds, and what happened before
must be read (Polymarket reference, sections 5.3 and 5.7).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

import msgspec

from core.domain.market import Market
from core.domain.order import Outcome
from core.domain.text import clean_text
from core.venues.polymarket import reports
from core.venues.polymarket.account_wire import OrderEvent, TradeEvent
from core.venues.polymarket.facts import Oddity
from core.venues.polymarket.l2 import Credentials
from core.venues.polymarket.line import SECOND_NS
from core.venues.polymarket.reports import Heard, Owner, StrangerError, WhoseToken
from core.venues.venue import OrderReport
from core.venues.wire import Odd, WireError

READY_NS: Final = 2 * SECOND_NS
HELD_MAX: Final = 1_000
"""Events of markets that are being learnt; older ones are read again with everything else."""
NOBODY: Final[Mapping[str, tuple[str, Outcome]]] = {}


class OrderSeen(msgspec.Struct, frozen=True):
    report: OrderReport


class TradeSeen(msgspec.Struct, frozen=True):
    heard: Heard


class StrangerSeen(msgspec.Struct, frozen=True):
    """An event of a market that is not known; it is kept until ``UserTalk.retry``."""

    token: str
    condition: str


class PrivateReady(msgspec.Struct, frozen=True):
    """Orders and trades arrive from here on; what happened before must be read."""


class Missed(msgspec.Struct, frozen=True):
    """Something of ours could not be understood: read it."""


UserFact = OrderSeen | TradeSeen | StrangerSeen | PrivateReady | Missed | Oddity
Event = OrderEvent | TradeEvent


class _Auth(msgspec.Struct, frozen=True, rename="camel"):
    api_key: str
    secret: str
    passphrase: str


class _Opening(msgspec.Struct, frozen=True):
    auth: _Auth
    type: str = "user"


class _Envelope(msgspec.Struct, frozen=True):
    event_type: str = ""


_decoder = msgspec.json.Decoder(Event | list[Event])
_envelope = msgspec.json.Decoder(_Envelope | list[_Envelope])


class UserTalk:
    """One connection. Orders of every market are asked for: a hand-placed one counts as well."""

    def __init__(
        self,
        credentials: Credentials,
        owner: Owner,
        whose: WhoseToken,
        market: Callable[[str], Market | None],
        now_ns: int,
    ) -> None:
        self._credentials, self._owner, self._whose, self._market = credentials, owner, whose, market
        self._began_ns = now_ns
        self._opened = self._ready = False
        self._held: deque[Event] = deque(maxlen=HELD_MAX)

    def commands(self) -> list[bytes]:
        if self._opened:
            return []
        self._opened = True
        ours = self._credentials
        return [msgspec.json.encode(_Opening(_Auth(ours.api_key, ours.secret, ours.passphrase)))]

    def tick(self, now_ns: int) -> Sequence[UserFact]:
        return self._now_ready() if now_ns - self._began_ns >= READY_NS else ()

    def feed(self, data: bytes, now_ns: int) -> Sequence[UserFact]:
        """One message. Never raises for anything a venue could send."""
        facts: list[UserFact] = list(self._now_ready())
        try:
            events = _decoder.decode(data)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            return (*facts, *self._unknown(data, error))
        for event in events if isinstance(events, list) else [events]:
            facts.extend(self._one(event))
        return facts

    def retry(self, foreign: Collection[str]) -> Sequence[UserFact]:
        """Markets were learnt: say what was kept. Of a ``foreign`` token, whose market nobody understands, it
        is said in the venue's own words; what is still to be learnt waits on."""
        held, facts = list(self._held), list[UserFact]()
        self._held.clear()
        for event in held:
            named = reports.as_named(event)
            facts.extend(self._one(event, {token: named[token] for token in named.keys() & foreign}))
        return facts

    def _now_ready(self) -> Sequence[UserFact]:
        if self._ready:
            return ()
        self._ready = True
        return (PrivateReady(),)

    def _one(self, event: Event, named: Mapping[str, tuple[str, Outcome]] = NOBODY) -> Sequence[UserFact]:
        def whose(token: str) -> tuple[str, Outcome] | None:
            return self._whose(token) or named.get(token)

        odd, facts = Odd(), list[UserFact]()
        try:
            if isinstance(event, OrderEvent):
                facts.append(OrderSeen(reports.order_report(event, whose, odd)))
            else:
                heard = reports.trade(event, self._owner, whose, self._market, odd)
                if heard is not None:
                    facts.append(TradeSeen(heard))
        except StrangerError as stranger:
            self._held.append(event)
            return (StrangerSeen(stranger.token, stranger.condition),)
        except WireError as error:
            return (Oddity("unreadable event", str(error)), Missed())
        facts.extend(Oddity("odd field", note) for note in odd.notes)
        return facts

    def _unknown(self, data: bytes, error: Exception) -> Sequence[UserFact]:
        """An event of another kind says nothing of ours; an unreadable order or trade was one of ours."""
        try:
            found = _envelope.decode(data)
            kinds = {one.event_type for one in (found if isinstance(found, list) else [found])}
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return (Oddity("unreadable message", clean_text(str(error), 120)), Missed())
        oddity = Oddity("unreadable message", clean_text(", ".join(sorted(kinds)), 80))
        return (oddity, Missed()) if kinds & {"order", "trade"} else (oddity,)

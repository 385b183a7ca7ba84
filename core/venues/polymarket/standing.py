"""What the venue says of an account before it trades: funds by wallet type, its clock, its engine's mode.

Only the examination before real money asks for it. Nothing here can become an order.
"""

from __future__ import annotations

from typing import Final

from core.domain.clock import Clocks
from core.venues.endpoint import Endpoint
from core.venues.exchange import ExchangeState
from core.venues.http import Call
from core.venues.limiter import Kind, Priority
from core.venues.offset import ClockOffset
from core.venues.polymarket import clob
from core.venues.polymarket.account import Balance, read_balance, refresh_balance
from core.venues.polymarket.errors import Meaning, refusal
from core.venues.polymarket.http import ClobHttp
from core.venues.polymarket.modes import NORMAL, Modes
from core.venues.polymarket.wallets import SignatureType
from core.venues.reader import Reader
from core.venues.retry import CallClass
from core.venues.venue import Incomplete

CLOCK_READS: Final = 8
KNOCK: Final = Endpoint("POST", "/order", Kind.WRITE, 1.0, CallClass.METADATA, ours=True)
NO_ORDER: Final = b"{}"
"""Lacks everything an order has, so it can only be refused."""
_NO_ANSWER: Final = frozenset({Meaning.CREDENTIAL, Meaning.EDGE, Meaning.AMBIGUOUS, Meaning.THROTTLED})


async def read_funds(reader: Reader) -> dict[SignatureType, Balance | Incomplete]:
    """Dollars and allowances of the key's wallet of each type, after the venue looked at the chain again."""
    for kind in SignatureType:
        await refresh_balance(reader, kind, "COLLATERAL", "")  # without it the venue's last look is read
    return {kind: await read_balance(reader, kind, "COLLATERAL", "") for kind in SignatureType}


async def read_clock_offset(reader: Reader, clocks: Clocks) -> int | Incomplete:
    """The venue's clock less ours, milliseconds, as far as its whole seconds prove one."""
    offset = ClockOffset()
    for _ in range(CLOCK_READS):
        sent_ms, sent_ns = clocks.wall_ms(), clocks.mono_ns()
        told_ms = await clob.read_time_ms(reader)
        if isinstance(told_ms, Incomplete):
            return told_ms
        offset.observe(told_ms, sent_ms, (clocks.mono_ns() - sent_ns) // 1_000_000)
    return offset.ms() or 0


async def read_mode(http: ClobHttp) -> ExchangeState | Incomplete:
    """Whether the matching engine takes orders: it says so before it reads what it was sent.

    Nothing can be asked for this, so an order that is none is handed in (Polymarket reference, section 9.2:
    the order of the venue's checks).
    """
    what = "the engine's mode"
    answer = await http.ask(http.general, Call(KNOCK, body=NO_ORDER), Priority.BACKGROUND, KNOCK.cost)
    if isinstance(answer, str):
        return Incomplete(what, answer)
    if 200 <= answer.status < 300:
        return Incomplete(what, "the venue takes an order that is none")
    said, modes = refusal(answer.status, answer.body, answer.headers), Modes(http.clocks)
    if modes.refused(said):
        return modes.state()
    if answer.status != 400 and said.meaning in _NO_ANSWER:
        return Incomplete(what, f"HTTP {answer.status}: {said}")
    return NORMAL

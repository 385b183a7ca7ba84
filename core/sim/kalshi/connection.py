"""One stream connection: its subscriptions, its commands, its bounded queue.

Knows nothing of sockets: commands come in as bytes, messages go into ``queue``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec

from core.domain.clock import Clock
from core.sim.accounts import Account
from core.sim.kalshi import sprinkle
from core.sim.kalshi.channels import CHANNELS, ERRORS, Filter

QUEUE_MAX = 10_000
"""Messages a connection may have waiting; one more ends the subscription it is for."""
REPLIES_MAX = 2 * QUEUE_MAX
"""The same with replies to commands, which end no subscription: a client that only talks is cut off."""
COMMANDS_MAX = 10_000
"""Commands a connection may send in a second."""

ALL_NAMES = "all"
"""Of indices or underlyings."""
_ECHO_MAX = 64
"""Of a ticker nobody knows, so much is said back."""


class Params(msgspec.Struct, frozen=True):
    """Parameters of any command; each command takes those it knows."""

    channels: list[str] = []
    market_ticker: str | None = None
    market_tickers: list[str] | None = None
    market_id: str | None = None
    market_ids: list[str] | None = None
    index_ids: list[str] | None = None
    underlying_tickers: list[str] | None = None
    sid: int | None = None
    sids: list[int] = []
    action: str = ""
    use_yes_price: bool | None = None
    skip_ticker_ack: bool = False
    send_initial_snapshot: bool = False

    @property
    def tickers(self) -> list[str]:
        return [self.market_ticker] if self.market_ticker is not None else self.market_tickers or []

    def published(self, of: Filter) -> list[str]:
        """The indices or the underlyings that are named."""
        return (self.index_ids if of is Filter.INDICES else self.underlying_tickers) or []

    @property
    def ids(self) -> list[str]:
        return [self.market_id] if self.market_id is not None else self.market_ids or []


class Command(msgspec.Struct, frozen=True):
    id: int = 0
    cmd: str = ""
    params: Params | None = None


class CommandError(Exception):
    """A command ends with this error message."""

    def __init__(self, code: int, *, market_ticker: str | None = None) -> None:
        super().__init__(ERRORS[code])
        self.code, self.market_ticker = code, market_ticker


class Subscription:
    """One ``sid``. ``keys`` is what it follows, tickers or index ids; None stands for everything."""

    def __init__(self, connection: Connection, sid: int, channel: str, params: Params) -> None:
        self.connection, self.sid, self.channel = connection, sid, channel
        self.sequenced = CHANNELS[channel].sequenced
        self.seq = 0
        self.keys = _keys(CHANNELS[channel].filter, params)
        self.use_yes_price = bool(params.use_yes_price)
        self.skip_ticker_ack = params.skip_ticker_ack
        self.by_id = bool(params.ids)

    def push(self, kind: str, body: bytes, *, reply_to: int = 0) -> None:
        """Queue a message; ends the subscription where the reader is too slow."""
        if self.connection.sprinkled:
            body = sprinkle.onto(body)
        if not self.connection.overflows(self):
            self._send(kind, b',"msg":' + body, reply_to)

    def reply(self, kind: str, reply_to: int, body: bytes | None = None) -> None:
        """Queue a control reply that carries this sid; it takes a sequence number too."""
        tail = b"" if body is None else b',"msg":' + body
        # The specification demands a number of this one on every channel.
        self._send(kind, tail, reply_to, force_seq=kind == "unsubscribed")

    def _send(self, kind: str, tail: bytes, reply_to: int, *, force_seq: bool = False) -> None:
        head = f'{{"type":"{kind}"'
        if reply_to:
            head += f',"id":{reply_to}'
        head += f',"sid":{self.sid}'
        if self.sequenced or force_seq:
            self.seq += 1
            head += f',"seq":{self.seq}'
        head += f',"sending_ts_ms":{self.connection.clock.wall_ms()}'
        self.connection.enqueue(head.encode() + tail + b"}")


class Connection:
    """``account`` is the member whose key opened it, ``subaccount`` the one that key is locked to, if any.

    ``wake`` is called when the queue gets its first message.
    """

    def __init__(
        self, account: str, clock: Clock, wake: Callable[[], None], subaccount: int | None = None
    ) -> None:
        self.account, self.clock, self._wake, self._subaccount = account, clock, wake, subaccount
        self.queue: deque[bytes] = deque()
        self.sprinkled = False
        """Whether its messages carry a field nobody knows."""
        self.subscriptions: dict[int, Subscription] = {}
        self.dropped: Callable[[], None] | None = None
        """Cuts the socket, where the server offers it."""
        self.on_end: Callable[[Subscription], None] = lambda _: None
        self._last_sid = 0
        self._second = self._commands = 0

    def sees(self, account: Account) -> bool:
        """Whether messages about this account are for this connection."""
        return account.member == self.account and self._subaccount in (None, account.number)

    def may_command(self) -> bool:
        """Count one command of this second; False where there are too many."""
        second = self.clock.wall_ms() // 1000
        if second != self._second:
            self._second, self._commands = second, 0
        self._commands += 1
        return self._commands <= COMMANDS_MAX

    def open(self, channel: str, params: Params) -> Subscription:
        self._last_sid += 1
        opened = self.subscriptions[self._last_sid] = Subscription(self, self._last_sid, channel, params)
        return opened

    def end(self, subscription: Subscription) -> None:
        self.subscriptions.pop(subscription.sid, None)
        self.on_end(subscription)

    def enqueue(self, message: bytes) -> None:
        if len(self.queue) >= REPLIES_MAX:
            if self.dropped is not None:
                self.dropped()
            return
        self.queue.append(message)
        if len(self.queue) == 1:
            self._wake()

    def overflows(self, subscription: Subscription) -> bool:
        """Whether the reader is too slow for one more message; if so the subscription ends here."""
        if len(self.queue) < QUEUE_MAX:
            return False
        self.kill(subscription, 25)
        return True

    def kill(self, subscription: Subscription, code: int) -> None:
        """End a subscription from this side: a buffer overflow, or an error of its channel."""
        if subscription.sid in self.subscriptions:
            self.end(subscription)
            body = msgspec.json.encode({"code": code, "msg": ERRORS[code]})
            subscription.reply("error", 0, body)

    def answer(self, kind: str, reply_to: int, body: Any) -> None:
        """Queue a reply that belongs to no subscription."""
        head = {"type": kind, "id": reply_to} if reply_to else {"type": kind}
        self.enqueue(msgspec.json.encode({**head, "msg": body, "sending_ts_ms": self.clock.wall_ms()}))

    def refuse(self, reply_to: int, error: CommandError) -> None:
        body: dict[str, Any] = {"code": error.code, "msg": ERRORS[error.code]}
        if error.market_ticker is not None:
            body["market_ticker"] = error.market_ticker[:_ECHO_MAX]
        self.answer("error", reply_to, body)


def _keys(of: Filter, params: Params) -> dict[str, None] | None:
    match of:
        case Filter.NOTHING:
            return None
        case Filter.INDICES | Filter.UNDERLYINGS:
            named = params.published(of)
            return None if ALL_NAMES in named else dict.fromkeys(named)
        case _:
            return dict.fromkeys(params.tickers) or None

"""One stream connection: its subscriptions, its commands, its bounded queue.

Knows nothing of sockets: commands come in as bytes, messages go into ``queue``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec

from core.domain.clock import Clock

QUEUE_MAX = 10_000
"""Messages a connection may have waiting; one more ends the subscription it is for."""
REPLIES_MAX = 2 * QUEUE_MAX
"""The same with replies to commands, which end no subscription: a client that only talks is cut off."""

_ECHO_MAX = 64
"""Of a ticker nobody knows, so much is said back."""

CHANNELS: dict[str, bool] = {
    "orderbook_delta": True,
    "ticker": False,
    "trade": True,
    "fill": False,
    "user_orders": False,
    "market_positions": False,
    "order_group_updates": True,
    "market_lifecycle_v2": True,
}
"""The channels served, and whether their messages carry sequence numbers."""

UNFILTERED = frozenset({"order_group_updates", "market_lifecycle_v2"})
"""Channels that send everything, whatever markets a command names."""

ERRORS = {
    1: "Unable to process message",
    2: "Params required",
    3: "Channels required",
    4: "Subscription IDs required",
    5: "Unknown command",
    7: "Unknown subscription ID",
    8: "Unknown channel name",
    11: "Invalid parameter",
    12: "Exactly one subscription ID is required",
    13: "Unsupported action",
    14: "Market Ticker required",
    15: "Action required",
    25: "Subscription buffer overflow",
}


class Params(msgspec.Struct, frozen=True):
    """Parameters of any command; each command takes those it knows."""

    channels: list[str] = []
    market_ticker: str | None = None
    market_tickers: list[str] | None = None
    sid: int | None = None
    sids: list[int] = []
    action: str = ""
    use_yes_price: bool = False
    skip_ticker_ack: bool = False
    send_initial_snapshot: bool = False

    @property
    def tickers(self) -> list[str]:
        return [self.market_ticker] if self.market_ticker is not None else self.market_tickers or []


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
    """One ``sid``. ``tickers`` is None where the channel is followed for every market."""

    def __init__(self, connection: Connection, sid: int, channel: str, params: Params) -> None:
        self.connection, self.sid, self.channel = connection, sid, channel
        self.sequenced = CHANNELS[channel]
        self.seq = 0
        self.tickers: dict[str, None] | None = dict.fromkeys(params.tickers) or None
        self.use_yes_price = params.use_yes_price
        self.skip_ticker_ack = params.skip_ticker_ack

    def push(self, kind: str, body: bytes, *, reply_to: int = 0) -> None:
        """Queue one message of this subscription around an encoded ``msg``."""
        if self.connection.overflows(self):
            return
        self._send(kind, b',"msg":' + body, reply_to)

    def reply(self, kind: str, reply_to: int, body: bytes | None = None) -> None:
        """Queue a control reply that carries this sid; it takes a sequence number too."""
        self._send(
            kind, b"" if body is None else b',"msg":' + body, reply_to, force_seq=kind == "unsubscribed"
        )

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
    """``account`` is whose key opened it; ``wake`` is called when the queue gets its first message."""

    def __init__(self, account: str, clock: Clock, wake: Callable[[], None]) -> None:
        self.account, self.clock, self._wake = account, clock, wake
        self.queue: deque[bytes] = deque()
        self.subscriptions: dict[int, Subscription] = {}
        self.dropped: Callable[[], None] | None = None
        """Cuts the socket, where the server offers it."""
        self.on_end: Callable[[Subscription], None] = lambda _: None
        self._last_sid = 0

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
        if subscription.sid in self.subscriptions:
            self.end(subscription)
            subscription.reply("error", 0, error_body(25))
        return True

    def answer(self, kind: str, reply_to: int, body: Any) -> None:
        """Queue a reply that belongs to no subscription."""
        head = {"type": kind, "id": reply_to} if reply_to else {"type": kind}
        self.enqueue(msgspec.json.encode({**head, "msg": body, "sending_ts_ms": self.clock.wall_ms()}))

    def refuse(self, reply_to: int, error: CommandError) -> None:
        body: dict[str, Any] = {"code": error.code, "msg": ERRORS[error.code]}
        if error.market_ticker is not None:
            body["market_ticker"] = error.market_ticker[:_ECHO_MAX]
        self.answer("error", reply_to, body)


def error_body(code: int) -> bytes:
    return msgspec.json.encode({"code": code, "msg": ERRORS[code]})

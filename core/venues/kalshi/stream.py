"""The stream's logic without a socket: bytes in, facts and commands out, books kept on the way.

Rules (Kalshi API: WebSocket, order book updates): ``seq`` counts every message of one subscription
over all its markets. A gap makes all books of the subscription untrue until a fresh snapshot; a
second gap, or no snapshot within 5 s, renews the subscription; if that fails too the connection is
given up. A change that cannot be right makes one market's book untrue and asks for its snapshot alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from core.domain.book import new_book
from core.domain.market import TickGrid
from core.venues.kalshi.books import Books
from core.venues.kalshi.channel import REPLY_NS_MAX, Channel
from core.venues.kalshi.facts import (
    NOTHING,
    Fact,
    FeesChanged,
    FillSeen,
    GiveUp,
    GroupSeen,
    MarketEvent,
    Missed,
    Oddity,
    OrderSeen,
    PositionSeen,
    PrivateReady,
)
from core.venues.kalshi.frames import (
    Command,
    Delta,
    ErrorFrame,
    EventFeeFrame,
    FillFrame,
    Frame,
    GroupFrame,
    LifecycleFrame,
    OrderFrame,
    Params,
    PositionFrame,
    Snapshot,
    Subscribed,
    Unsubscribed,
    envelope_decoder,
    frame_decoder,
)
from core.venues.kalshi.wire import Odd, WireError, decode, fill, order_report, signed_quantity
from core.venues.venue import BookView, GroupChange, PositionReport

ASKED_MAX: Final = 64

BOOKS: Final = "orderbook_delta"
PRIVATE: Final = ("fill", "user_orders")
POSITIONS: Final = "market_positions"
LIFECYCLE: Final = "market_lifecycle_v2"
GROUPS: Final = "order_group_updates"
CHANNELS: Final = (BOOKS, *PRIVATE, LIFECYCLE, POSITIONS, GROUPS)
DEAD: Final = frozenset({10, 25})
"""Error codes after which a subscription sends nothing more."""
UNKNOWN_SID: Final = 7

_BOOK_TYPES: Final = frozenset({"orderbook_delta", "orderbook_snapshot"})
_PRIVATE_TYPES: Final = frozenset({"fill", "user_order", "market_position"})
_MARKET_TYPES: Final = frozenset({"market_lifecycle_v2", "event_fee_update"})


class StreamState:
    """Everything one connection knows. Times are monotonic nanoseconds passed in."""

    def __init__(self) -> None:
        self._books = Books()
        self._channels = {name: Channel() for name in CHANNELS}
        self._by_sid: dict[int, str] = {}
        self._listed: set[str] = set()
        """Markets the venue has been told of in this connection."""
        self._asked: dict[int, tuple[str, ...]] = {}
        """Markets by the id of the newest commands that added them."""
        self._commands: list[bytes] = []
        self._ids = 0
        self._open = False
        self.sent_ms: int | None = None
        """When the venue says it sent the newest book change, if it says so."""

    @property
    def sequence(self) -> int:
        """Number of the last message applied in the books' subscription; 0 before the first."""
        return self._channels[BOOKS].seq or 0

    @property
    def books(self) -> dict[str, BookView]:
        return self._books.views

    # --- what the shell calls ---------------------------------------------------------------------

    def watch(self, markets: Iterable[tuple[str, TickGrid]], now_ns: int) -> None:
        """Keep books of these markets from now on."""
        self._books.add(markets)
        if self._open:
            self._list_markets(now_ns)

    def unwatch(self, ticker: str) -> None:
        """The market is over: its book is dropped."""
        self._books.slots.pop(ticker, None)
        self._books.views.pop(ticker, None)
        channel = self._channels[BOOKS]
        if ticker in self._listed:
            self._listed.remove(ticker)
            if channel.sid is not None and not channel.leaving:
                params = Params(sids=[channel.sid], market_tickers=[ticker], action="delete_markets")
                self._send("update_subscription", params)

    def regrid(self, ticker: str, grid: TickGrid, now_ns: int) -> None:
        """The market's prices changed: start its book again on the new grid."""
        slot = self._books.slots.get(ticker)
        if slot is not None:
            slot.view.book = new_book(grid)
            slot.distrust(now_ns)
            self._repair(now_ns)

    def opened(self, now_ns: int) -> None:
        """A fresh connection: subscribe to everything."""
        self.closed()
        self._open = True
        for name in CHANNELS:
            if name != BOOKS:
                self._subscribe(name, now_ns)
        self._list_markets(now_ns)

    def closed(self) -> None:
        """The connection is gone: no book can be trusted until its next snapshot."""
        self._open = False
        self._by_sid.clear()
        self._listed.clear()
        self._asked.clear()
        self._commands.clear()
        self._channels = {name: Channel() for name in CHANNELS}
        self._books.distrust_all()
        for slot in self._books.slots.values():
            slot.refused = False

    @property
    def waiting(self) -> bool:
        """Whether there are commands to send."""
        return bool(self._commands)

    def commands(self) -> list[bytes]:
        """Commands to send now; each is handed out once."""
        waiting, self._commands = self._commands, []
        return waiting

    def tick(self, now_ns: int) -> Sequence[Fact]:
        """Deadlines and repairs, to be called every second or so."""
        for name, channel in self._channels.items():
            if channel.deadline_ns is None or now_ns < channel.deadline_ns:
                continue
            if channel.leaving or not channel.resyncing:
                return (GiveUp(f"no answer to {name} in 5 s"),)
            if not channel.answered:
                return self._renew(name, "no snapshot in 5 s", now_ns)
            channel.settled()
            for ticker in self._listed:
                if not self._books.views[ticker].intact:
                    self._books.slots[ticker].distrust(now_ns)
        doubts = self._books.crossed(self._listed, now_ns)
        self._repair(now_ns)
        return doubts

    def feed(self, data: bytes, now_ns: int) -> Sequence[Fact]:
        """One message. Never raises for anything a venue could send."""
        try:
            frame: Frame = frame_decoder.decode(data)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return self._unknown(data, now_ns)
        match frame:
            case Delta():
                return self._delta(frame, now_ns)
            case Snapshot():
                return self._snapshot(frame, now_ns)
            case FillFrame() | OrderFrame() | PositionFrame():
                return self._private(frame)
            case GroupFrame():
                return (*self._count(frame.sid, frame.seq, now_ns), *_group(frame))
            case LifecycleFrame():
                return (*self._count(frame.sid, frame.seq, now_ns), MarketEvent(frame.msg))
            case EventFeeFrame():
                return (*self._count(frame.sid, frame.seq, now_ns), FeesChanged(frame.msg))
            case Subscribed():
                return self._subscribed(frame, now_ns)
            case ErrorFrame():
                return self._error(frame, now_ns)
            case Unsubscribed():
                return self._unsubscribed(frame.sid, now_ns)

    # --- books and their sequence -----------------------------------------------------------------

    def _delta(self, frame: Delta, now_ns: int) -> Sequence[Fact]:
        channel = self._channels[BOOKS]
        if frame.sid != channel.sid:
            return NOTHING
        last = channel.seq
        if last is not None and frame.seq != last + 1:
            return self._gap(BOOKS, frame.seq, now_ns)
        channel.seq = frame.seq
        self.sent_ms = frame.sending_ts_ms if isinstance(frame.sending_ts_ms, int) else None
        facts = self._books.change(frame.msg, frame.seq, now_ns)
        if len(facts) > 1:  # out of step
            self._repair(now_ns)
        return facts

    def _snapshot(self, frame: Snapshot, now_ns: int) -> Sequence[Fact]:
        gap = self._count(frame.sid, frame.seq, now_ns)
        channel = self._channels[BOOKS]
        if frame.sid != channel.sid:
            return gap
        facts = self._books.load(frame.msg, frame.seq, now_ns)
        if channel.resyncing:
            channel.answered = True
            if all(self._books.views[ticker].intact for ticker in self._listed):
                channel.settled()
        self._repair(now_ns)
        return (*gap, *facts)

    def _count(self, sid: int, seq: int, now_ns: int) -> Sequence[Fact]:
        """Take note of a number; facts only when one is missing."""
        name = self._by_sid.get(sid)
        if name is None:
            return NOTHING
        channel = self._channels[name]
        if channel.seq is None or seq == channel.seq + 1:
            channel.seq = seq
            return NOTHING
        return self._gap(name, seq, now_ns)

    def _gap(self, name: str, seq: int, now_ns: int) -> Sequence[Fact]:
        channel = self._channels[name]
        last, channel.seq = channel.seq, seq
        oddity = Oddity("sequence gap", f"{name}: {seq} after {last}")
        if name != BOOKS or channel.sid is None:
            return (oddity, Missed(name))
        if channel.resyncing:
            return (oddity, *self._renew(name, "second gap", now_ns))
        channel.resync(now_ns)
        changed = self._books.distrust_all()
        self._send("update_subscription", self._snapshot_of(channel.sid, sorted(self._listed)))
        return (oddity, *changed)

    def _repair(self, now_ns: int) -> None:
        """Ask for the snapshots that are due on their own."""
        channel = self._channels[BOOKS]
        if channel.sid is None or channel.resyncing or channel.leaving:
            return
        due = [
            slot
            for slot in map(self._books.slots.__getitem__, self._listed)
            if slot.repair_ns is not None and now_ns >= slot.repair_ns
        ]
        if due:
            tickers = sorted(slot.ticker for slot in due)
            self._send("update_subscription", self._snapshot_of(channel.sid, tickers))
            for slot in due:
                slot.asked(now_ns)

    # --- subscriptions ----------------------------------------------------------------------------

    def _send(self, cmd: str, params: Params) -> int:
        self._ids += 1
        self._commands.append(msgspec.json.encode(Command(self._ids, cmd, params)))
        return self._ids

    @staticmethod
    def _snapshot_of(sid: int, tickers: Sequence[str]) -> Params:
        return Params(sids=[sid], market_tickers=tickers, action="get_snapshot")

    def _subscribe(self, name: str, now_ns: int) -> None:
        self._channels[name] = Channel(now_ns + REPLY_NS_MAX)
        if name != BOOKS:
            self._send("subscribe", Params(channels=[name]))
            return
        tickers = self._unlisted(set())
        self._listed = set(tickers)
        if not tickers:
            self._channels[name] = Channel()  # taken with the first market
            return
        params = Params(channels=[name], market_tickers=tickers, use_yes_price=True)
        self._remember(self._send("subscribe", params), tickers)

    def _unlisted(self, listed: set[str]) -> list[str]:
        slots = self._books.slots.values()
        return sorted(slot.ticker for slot in slots if slot.ticker not in listed and not slot.refused)

    def _remember(self, command_id: int, tickers: list[str]) -> None:
        self._asked[command_id] = tuple(tickers)
        if len(self._asked) > ASKED_MAX:
            del self._asked[next(iter(self._asked))]

    def _list_markets(self, now_ns: int) -> None:
        """Tell the venue of markets it does not send yet."""
        fresh = self._unlisted(self._listed)
        channel = self._channels[BOOKS]
        if not fresh or channel.leaving:
            return
        if channel.sid is not None:
            self._listed.update(fresh)
            params = Params(sids=[channel.sid], market_tickers=fresh, action="add_markets")
            self._remember(self._send("update_subscription", params), fresh)
            for ticker in fresh:
                self._books.slots[ticker].asked(now_ns)
        elif channel.deadline_ns is None:
            self._subscribe(BOOKS, now_ns)

    def _subscribed(self, frame: Subscribed, now_ns: int) -> Sequence[Fact]:
        name, sid = frame.msg.channel, frame.msg.sid
        channel = self._channels.get(name)
        if channel is None or channel.sid is not None:
            return (Oddity("unexpected subscription", f"{name[:40]} as {sid}"),)
        channel.sid, channel.deadline_ns = sid, None
        self._by_sid[sid] = name
        if name == BOOKS:
            channel.resync(now_ns)
            self._list_markets(now_ns)
        elif name in PRIVATE and all(self._channels[other].sid is not None for other in PRIVATE):
            return (PrivateReady(),)
        return NOTHING

    def _renew(self, name: str, why: str, now_ns: int) -> Sequence[Fact]:
        """Leave the subscription; it is taken again once the venue has confirmed that."""
        channel = self._channels[name]
        changed = self._books.distrust_all() if name == BOOKS else []
        if channel.sid is not None and not channel.leaving:
            channel.leaving, channel.deadline_ns = True, now_ns + REPLY_NS_MAX
            self._send("unsubscribe", Params(sids=[channel.sid]))
        return (Oddity("subscription renewed", f"{name}: {why}"), *changed)

    def _unsubscribed(self, sid: int, now_ns: int) -> Sequence[Fact]:
        name = self._by_sid.pop(sid, None)
        if name is not None and self._channels[name].leaving:
            self._subscribe(name, now_ns)
        return NOTHING

    def _error(self, frame: ErrorFrame, now_ns: int) -> Sequence[Fact]:
        code, sid = frame.msg.code, frame.sid
        text = frame.msg.msg[:80] if isinstance(frame.msg.msg, str) else ""
        facts: list[Fact] = [Oddity("stream error", f"code {code} {text}".strip())]
        name = self._by_sid.get(sid) if sid is not None else None
        if code in DEAD:
            if name is None or sid is None:
                return (*facts, GiveUp(f"stream error {code} without a subscription"))
            del self._by_sid[sid]
            facts.extend(self._books.distrust_all() if name == BOOKS else ())
            self._subscribe(name, now_ns)
        elif code == UNKNOWN_SID:
            # The subscription we meant to leave or mend does not exist any more.
            facts.append(GiveUp("the venue does not know our subscription"))
        else:
            if sid is not None and frame.seq is not None:
                facts.extend(self._count(sid, frame.seq, now_ns))
            self._refused(frame, now_ns)
        return facts

    def _refused(self, frame: ErrorFrame, now_ns: int) -> None:
        """A command failed; where one market was the reason, ask again without it."""
        asked, ticker = self._asked.pop(frame.id, ()), frame.msg.market_ticker
        slot = self._books.slots.get(ticker) if isinstance(ticker, str) else None
        if slot is None:
            return
        slot.refused, slot.repair_ns = True, None
        self._listed.difference_update(asked, (slot.ticker,))
        channel = self._channels[BOOKS]
        if channel.sid is None:
            channel.deadline_ns = None
        self._list_markets(now_ns)

    # --- everything else --------------------------------------------------------------------------

    def _private(self, frame: FillFrame | OrderFrame | PositionFrame) -> Sequence[Fact]:
        odd = Odd()
        try:
            seen: Fact
            if isinstance(frame, FillFrame):
                seen = FillSeen(*fill(frame.msg, odd))
            elif isinstance(frame, PositionFrame):
                net = signed_quantity(frame.msg.position_fp, "position_fp")
                seen = PositionSeen(PositionReport(frame.msg.market_ticker, net))
            else:
                seen = OrderSeen(order_report(frame.msg, odd))
        except WireError as error:
            return (Oddity("unreadable private message", str(error)), Missed(PRIVATE[0]))
        return (seen, *(Oddity("odd field", note) for note in odd.notes))

    def _unknown(self, data: bytes, now_ns: int) -> Sequence[Fact]:
        """A message of another type, or of a known one with an impossible content."""
        try:
            envelope = decode(data, envelope_decoder, "message")
        except WireError as error:
            return (Oddity("unreadable message", str(error)), Missed(PRIVATE[0]))
        sid, seq = envelope.sid, envelope.seq
        facts: list[Fact] = []
        if envelope.type in _PRIVATE_TYPES:
            facts += [Oddity("unreadable private message", envelope.type), Missed(PRIVATE[0])]
        elif envelope.type in _MARKET_TYPES:
            facts += [Oddity("unreadable market message", envelope.type), Missed(LIFECYCLE)]
        elif envelope.type in _BOOK_TYPES:
            oddity = Oddity("unreadable book message", envelope.type)
            channel = self._channels[BOOKS]
            if sid is None or sid != channel.sid:
                return (oddity,)
            # Whatever it said is missing now, so it is the same as a gap.
            return (oddity, *self._gap(BOOKS, seq if seq is not None else channel.seq or 0, now_ns))
        if sid is not None and seq is not None:
            facts.extend(self._count(sid, seq, now_ns))
        return facts


_GROUP_CHANGES: Final = {
    "created": GroupChange.OPENED,
    "triggered": GroupChange.TRIGGERED,
    "reset": GroupChange.RESET,
    "deleted": GroupChange.REMOVED,
    "limit_updated": GroupChange.LIMITED,
}


def _group(frame: GroupFrame) -> Sequence[Fact]:
    change = _GROUP_CHANGES.get(frame.msg.event_type)
    if change is None:
        return (Oddity("odd group event", frame.msg.event_type[:40]),)
    return (GroupSeen(frame.msg.order_group_id, change),)

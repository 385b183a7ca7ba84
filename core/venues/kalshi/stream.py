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
from core.domain.text import clean_text
from core.venues.depth import DEPTH_MAX, too_deep
from core.venues.kalshi import messages
from core.venues.kalshi.books import Books
from core.venues.kalshi.channel import (
    BOOKS,
    DESK,
    PRIVATE,
    TRADES,
    Channel,
    Wanted,
)
from core.venues.kalshi.facts import (
    NOTHING,
    Denied,
    Fact,
    FeesChanged,
    GiveUp,
    MarketEvent,
    Missed,
    Oddity,
    PrivateReady,
)
from core.venues.kalshi.frames import (
    Delta,
    ErrorFrame,
    EventFeeFrame,
    FastFrame,
    FillFrame,
    Frame,
    GroupFrame,
    IndexFrame,
    IndexListFrame,
    LifecycleFrame,
    OrderFrame,
    Params,
    PositionFrame,
    PythFrame,
    PythListFrame,
    Snapshot,
    Subscribed,
    TickerFrame,
    TradeFrame,
    Unsubscribed,
    envelope_decoder,
    frame_decoder,
)
from core.venues.kalshi.publications import LISTINGS, PUBLISHED
from core.venues.kalshi.subscriptions import Subscriptions
from core.venues.venue import BookView
from core.venues.wire import Odd, WireError, decode

ASKED_MAX: Final = 64

DEAD: Final = frozenset({10, 25})
"""Error codes after which a subscription sends nothing more."""
UNKNOWN_SID: Final = 7

_BOOK_TYPES: Final = frozenset({"orderbook_delta", "orderbook_snapshot"})


class StreamState:
    """Everything one connection knows. Times are monotonic nanoseconds passed in.

    Books are subscribed to with the first market watched, and with them their trades where these are wanted
    of no named markets; everything else in ``wanted`` at once. Private messages count when they are of
    ``subaccount`` or name none.
    """

    def __init__(self, wanted: Sequence[Wanted] = DESK, subaccount: int = 0) -> None:
        self._plan = tuple(one.channel for one in wanted)
        self._private = frozenset(PRIVATE) & set(self._plan)
        self._subaccount = subaccount
        self._books = Books()
        self._subscriptions = Subscriptions(wanted)
        self._listed: set[str] = set()
        """Markets the venue has been told of in this connection."""
        self._tapes = Wanted(TRADES) in wanted
        """Whether trades are wanted of the markets watched."""
        self._taped: set[str] = set()
        """Markets whose trades were asked for in this connection."""
        self._tape_asks: set[int] = set()
        """Ids of the commands that did."""
        self._asked: dict[int, tuple[str, ...]] = {}
        """Markets by the id of the newest commands that added them."""
        self._open = False
        self._newest = b""
        """The last message, to know its copy by."""
        self.sent_ms: int | None = None
        """When the venue says it sent the newest book change, if it says so."""

    @property
    def sequence(self) -> int:
        """Number of the last message applied in the books' subscription; 0 before the first."""
        return self._book_channel.seq or 0

    @property
    def books(self) -> dict[str, BookView]:
        return self._books.views

    @property
    def _book_channel(self) -> Channel:
        return self._subscriptions.channels[BOOKS]

    # --- what the shell calls ---------------------------------------------------------------------

    def watch(self, markets: Iterable[tuple[str, TickGrid]], now_ns: int) -> None:
        """Keep books of these markets from now on."""
        self._books.add(markets)
        if self._open:
            self._list_markets(now_ns)
            self._tape_markets(now_ns)

    def unwatch(self, ticker: str) -> None:
        """The market is over: its book is dropped."""
        self._books.slots.pop(ticker, None)
        self._books.views.pop(ticker, None)
        for name, named in ((BOOKS, self._listed), (TRADES, self._taped)):
            if ticker not in named:
                continue
            named.remove(ticker)
            channel = self._subscriptions.channels[name]
            if channel.sid is not None and not channel.leaving:
                params = Params(sids=[channel.sid], market_tickers=[ticker], action="delete_markets")
                self._subscriptions.send("update_subscription", params)

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
        for name in self._plan:
            if name != BOOKS and not (name == TRADES and self._tapes):
                self._subscriptions.subscribe(name, now_ns)
        self._list_markets(now_ns)
        self._tape_markets(now_ns)

    def closed(self) -> None:
        """The connection is gone: no book can be trusted until its next snapshot."""
        self._open = False
        self._newest = b""
        self._listed.clear()
        self._taped.clear()
        self._tape_asks.clear()
        self._asked.clear()
        self._subscriptions.reset()
        self._books.distrust_all()
        for slot in self._books.slots.values():
            slot.refused = False

    def ask(self, source: str, now_ns: int) -> None:
        """Ask which values a publication has; one that was refused is asked for anew."""
        for name, action in LISTINGS.items():
            channel = self._subscriptions.channels.get(name)
            if PUBLISHED[name] != source or channel is None or not self._open:
                continue
            if channel.sid is not None:
                self._subscriptions.send("update_subscription", Params(sids=[channel.sid], action=action))
            elif channel.deadline_ns is None:
                self._subscribe(name, now_ns)

    @property
    def waiting(self) -> bool:
        """Whether there are commands to send."""
        return self._subscriptions.waiting

    def commands(self) -> list[bytes]:
        """Commands to send now; each is handed out once."""
        return self._subscriptions.commands()

    def tick(self, now_ns: int) -> Sequence[Fact]:
        """Deadlines and repairs, to be called every second or so."""
        denied: list[Fact] = []
        for name, channel in self._subscriptions.overdue(now_ns):
            if name in PUBLISHED:
                channel.deadline_ns = None
                denied.append(Denied(name, "no answer in 5 s"))
                continue
            if name == TRADES and self._tapes:
                channel.deadline_ns = None  # done without in this connection
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
        return (*denied, *doubts) if denied else doubts

    def feed(self, data: bytes, now_ns: int) -> Sequence[Fact]:
        """One message. Never raises for anything a venue could send.

        The same bytes twice in a row are one message; a repeated number over other content is a gap.
        """
        if data == self._newest:
            return NOTHING
        self._newest = data
        if too_deep(data):
            return (GiveUp(f"a message nests deeper than {DEPTH_MAX}"),)
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
                return messages.private(frame, self._subaccount)
            case TickerFrame():
                return messages.public(frame)
            case GroupFrame():
                return (*self._count(frame.sid, frame.seq, now_ns), *messages.group(frame))
            case TradeFrame():
                return (*self._count(frame.sid, frame.seq, now_ns), *messages.public(frame))
            case IndexFrame() | FastFrame() | PythFrame():
                return (*self._count(frame.sid, frame.seq, now_ns), *messages.published(frame, data))
            case IndexListFrame() | PythListFrame():
                return (*self._count(frame.sid, frame.seq, now_ns), *messages.listed(frame))
            case LifecycleFrame():
                return (*self._count(frame.sid, frame.seq, now_ns), MarketEvent(frame.msg))
            case EventFeeFrame():
                return (*self._count(frame.sid, frame.seq, now_ns), FeesChanged(frame.msg))
            case Subscribed():
                return self._subscribed(frame, now_ns)
            case ErrorFrame():
                return self._error(frame, now_ns)
            case Unsubscribed():
                name = self._subscriptions.left(frame.sid)
                if name is not None:
                    self._subscribe(name, now_ns)
                return NOTHING

    # --- books and their sequence -----------------------------------------------------------------

    def _delta(self, frame: Delta, now_ns: int) -> Sequence[Fact]:
        channel = self._book_channel
        if frame.sid != channel.sid:
            return NOTHING
        last = channel.seq
        if last is not None and frame.seq != last + 1:
            return self._gap(BOOKS, frame.seq, now_ns)
        channel.seq = frame.seq
        self.sent_ms = Odd().moment(frame.sending_ts_ms, "sending_ts_ms")
        facts = self._books.change(frame.msg, frame.seq, now_ns)
        if len(facts) > 1:  # out of step
            self._repair(now_ns)
        return facts

    def _snapshot(self, frame: Snapshot, now_ns: int) -> Sequence[Fact]:
        gap = self._count(frame.sid, frame.seq, now_ns)
        channel = self._book_channel
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
        name = self._subscriptions.gap(sid, seq)
        return NOTHING if name is None else self._gap(name, seq, now_ns)

    def _gap(self, name: str, seq: int, now_ns: int) -> Sequence[Fact]:
        channel = self._subscriptions.channels[name]
        last, channel.seq = channel.seq, seq
        oddity = Oddity("sequence gap", f"{name}: {seq} after {last}")
        if name != BOOKS or channel.sid is None:
            return (oddity, Missed(name))
        if channel.resyncing:
            return (oddity, *self._renew(name, "second gap", now_ns))
        channel.resync(now_ns)
        changed = self._books.distrust_all()
        self._ask_snapshots(channel.sid, sorted(self._listed))
        return (oddity, *changed)

    def _ask_snapshots(self, sid: int, tickers: Sequence[str]) -> None:
        params = Params(sids=[sid], market_tickers=tickers, action="get_snapshot")
        self._subscriptions.send("update_subscription", params)

    def _repair(self, now_ns: int) -> None:
        """Ask for the snapshots that are due on their own."""
        channel = self._book_channel
        if channel.sid is None or channel.resyncing or channel.leaving:
            return
        due = [
            slot
            for slot in map(self._books.slots.__getitem__, self._listed)
            if slot.repair_ns is not None and now_ns >= slot.repair_ns
        ]
        if due:
            tickers = sorted(slot.ticker for slot in due)
            self._ask_snapshots(channel.sid, tickers)
            for slot in due:
                slot.asked(now_ns)

    # --- subscriptions ----------------------------------------------------------------------------

    def _subscribe(self, name: str, now_ns: int) -> None:
        if name == TRADES and self._tapes:
            self._subscriptions.channels[name] = Channel()
            self._taped.clear()
            self._tape_markets(now_ns)
            return
        if name != BOOKS:
            self._subscriptions.subscribe(name, now_ns)
            return
        tickers = self._unlisted(set())
        self._listed = set(tickers)
        if tickers:
            params = Params(channels=[name], market_tickers=tickers, use_yes_price=True)
            self._remember(self._subscriptions.subscribe(name, now_ns, params), tickers)
        else:
            self._subscriptions.channels[name] = Channel()  # taken with the first market

    def _unlisted(self, listed: set[str]) -> list[str]:
        slots = self._books.slots.values()
        return sorted(slot.ticker for slot in slots if slot.ticker not in listed and not slot.refused)

    def _remember(self, command_id: int, tickers: list[str]) -> None:
        self._asked[command_id] = tuple(tickers)
        if len(self._asked) > ASKED_MAX:
            del self._asked[next(iter(self._asked))]

    def _list_markets(self, now_ns: int) -> None:
        """Tell the venue of markets it does not send yet."""
        fresh, channel = self._unlisted(self._listed), self._book_channel
        if not fresh or channel.leaving:
            return
        if channel.sid is not None:
            self._listed.update(fresh)
            params = Params(sids=[channel.sid], market_tickers=fresh, action="add_markets")
            self._remember(self._subscriptions.send("update_subscription", params), fresh)
            for ticker in fresh:
                self._books.slots[ticker].asked(now_ns)
        elif channel.deadline_ns is None:
            self._subscribe(BOOKS, now_ns)

    def _tape_markets(self, now_ns: int) -> None:
        """Ask for the trades of the markets that are listed, and of no others: unnarrowed it is all there is.
        A refusal is not asked about again, and costs no book."""
        fresh = sorted(self._listed - self._taped) if self._tapes else []
        if not fresh:
            return
        channel = self._subscriptions.channels[TRADES]
        if channel.sid is not None:
            params = Params(sids=[channel.sid], market_tickers=fresh, action="add_markets")
            self._tape_asks.add(self._subscriptions.send("update_subscription", params))
        elif channel.deadline_ns is None and not self._taped:
            params = Params(channels=[TRADES], market_tickers=fresh)
            self._tape_asks.add(self._subscriptions.subscribe(TRADES, now_ns, params))
        else:
            return
        self._taped.update(fresh)

    def _subscribed(self, frame: Subscribed, now_ns: int) -> Sequence[Fact]:
        name = frame.msg.channel
        if not self._subscriptions.confirmed(frame):
            return (Oddity("unexpected subscription", f"{name[:40]} as {frame.msg.sid}"),)
        channels = self._subscriptions.channels
        if name == BOOKS:
            channels[name].resync(now_ns)
            self._list_markets(now_ns)
        if name in (BOOKS, TRADES):
            self._tape_markets(now_ns)
        elif name in self._private and all(channels[other].sid is not None for other in self._private):
            return (PrivateReady(),)
        return NOTHING

    def _renew(self, name: str, why: str, now_ns: int) -> Sequence[Fact]:
        """Leave the subscription; it is taken again once the venue has confirmed that."""
        changed = self._books.distrust_all() if name == BOOKS else []
        self._subscriptions.leave(name, now_ns)
        return (Oddity("subscription renewed", f"{name}: {why}"), *changed)

    def _error(self, frame: ErrorFrame, now_ns: int) -> Sequence[Fact]:
        code, sid = frame.msg.code, frame.sid
        text = frame.msg.msg[:80] if isinstance(frame.msg.msg, str) else ""
        facts: list[Fact] = [Oddity("stream error", f"code {code} {text}".strip())]
        if code in DEAD:
            name = self._subscriptions.ended(sid)
            if name is None:
                return (*facts, GiveUp(f"stream error {code} without a subscription"))
            facts.extend(self._books.distrust_all() if name == BOOKS else ())
            self._subscribe(name, now_ns)
        elif code == UNKNOWN_SID:
            # The subscription we meant to leave or mend does not exist any more.
            facts.append(GiveUp("the venue does not know our subscription"))
        else:
            if sid is not None and frame.seq is not None:
                facts.extend(self._count(sid, frame.seq, now_ns))
            channel = self._refused(frame, now_ns)
            if channel in PUBLISHED:
                facts.append(Denied(channel, f"{code} {clean_text(text)}".strip()))
        return facts

    def _refused(self, frame: ErrorFrame, now_ns: int) -> str:
        """A command failed; where one market was the reason, ask again without it. The channel it was to
        open, if any."""
        channel = self._subscriptions.refused(frame.id) or ""
        if frame.id in self._tape_asks:
            return channel
        asked, ticker = self._asked.pop(frame.id, ()), frame.msg.market_ticker
        slot = self._books.slots.get(ticker) if isinstance(ticker, str) else None
        if slot is None:
            return channel
        slot.refused, slot.repair_ns = True, None
        self._listed.difference_update(asked, (slot.ticker,))
        if self._book_channel.sid is None:
            self._book_channel.deadline_ns = None
        self._list_markets(now_ns)
        return channel

    # --- everything else --------------------------------------------------------------------------

    def _unknown(self, data: bytes, now_ns: int) -> Sequence[Fact]:
        """A message of another type, or of a known one with an impossible content."""
        try:
            envelope = decode(data, envelope_decoder, "message")
        except WireError as error:
            return (Oddity("unreadable message", str(error)), Missed(PRIVATE[0]))
        sid, seq = envelope.sid, envelope.seq
        if envelope.type in _BOOK_TYPES:
            oddity = Oddity("unreadable book message", envelope.type)
            channel = self._book_channel
            if sid is None or sid != channel.sid:
                return (oddity,)
            # Whatever it said is missing now, so it is the same as a gap.
            return (oddity, *self._gap(BOOKS, seq if seq is not None else channel.seq or 0, now_ns))
        facts: list[Fact] = list(messages.unreadable(envelope.type, data))
        if sid is not None and seq is not None:
            facts.extend(self._count(sid, seq, now_ns))
        return facts

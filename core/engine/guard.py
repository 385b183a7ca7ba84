"""The second look: once a second over everything that has no event of its own.

Losses, fills that do not come, orders past their end, sources and clocks that went bad, nobody there.
"""

from __future__ import annotations

from collections.abc import Callable

from core.domain.order import Life, Purpose
from core.domain.units import Money, money_text
from core.engine import incidents, releases, resized
from core.engine.autonomy import end_automatic
from core.engine.desk import Desk
from core.engine.ears import Ears
from core.engine.room import watch_room
from core.engine.safety import watch_beats
from core.engine.source_watch import SourceWatch
from core.engine.state import AlarmLevel, Mode
from core.engine.timekeeping import watch_offset
from core.execution.differences import Row
from core.execution.reading import PARKED_LOOKUP_NS
from core.feeds.feed import Feed
from core.journal.events import Event, Kind
from core.risk.halts import GLOBAL, Level

PAST_EXPIRY_MS = 5_000
LOSS_WARNING_PERCENT = 60
READING_LOST_NS = 60_000_000_000


class Guard:
    """Runs every second; ``feeds`` are asked for their health, ``flatten`` sells everything."""

    def __init__(self, desk: Desk, ears: Ears) -> None:
        self._desk = desk
        self._ears = ears
        self._sources = SourceWatch(desk)
        self._strangers: set[str] = set()
        self._within = False
        """Whether this run has seen the day's loss within its limit since it was last beyond it. A halted
        desk that starts beyond it waits for a person."""
        self._sold_day = ""
        """The day whose loss has had everything sold: a stop that was taken back is not begun again."""
        self.feeds: tuple[Feed, ...] = ()
        self.flatten: Callable[[], object]

    def tick(self) -> None:
        """One look at everything."""
        self._day()
        self._losses()
        self._desk.trips.tick()
        for seat in self._desk.seats.values():
            seat.unknowns.tick()
        self._ears.posttrade.tick()
        self._orders()
        self._externals()
        resized.watch(self._desk)
        self._sources.look(self.feeds)
        self.problem()
        watch_offset(self._desk)
        watch_beats(self._desk)
        watch_room(self._desk)
        releases.watch(self._desk)
        self._presence()
        self._ears.ring_paused()
        self._desk.alarms.tick()

    def _day(self) -> None:
        before = self._desk.account.day
        base = self._desk.account.roll() if self._desk.state.ready else None
        if base is not None:
            self._desk.scribe.log.append(Event(Kind.DAY, base))
            if before:  # the account has just been read when a journal's first day begins
                self._desk.seats.read("a new day")
        self._desk.account.mark()

    def _losses(self) -> None:
        desk = self._desk
        today, limit = desk.state.today_pnl, desk.state.limits.current.day_loss_max
        lost = -(today or 0)
        self._within |= today is not None and lost < limit
        if lost >= limit:
            what = f"lost {money_text(Money(lost))} today, limit {money_text(limit)}"
            runs, day = desk.state.halts.desk < Level.HALTED, desk.account.day
            if runs:
                incidents.stop(desk, GLOBAL, Level.HALTED, "the day's loss limit was reached")
            crossed = runs or (self._within and self._sold_day != day)
            if crossed and desk.settings.engine.flatten_on_day_loss:
                self._sold_day = day
                self.flatten()
            self._within = False
            desk.alarms.raise_("loss", AlarmLevel.CHECK, what, "the desk stays halted", "the next day")
        elif lost * 100 >= limit * LOSS_WARNING_PERCENT:
            what = f"lost {LOSS_WARNING_PERCENT} % of what the day may lose"
            desk.alarms.raise_("loss", AlarmLevel.CHECK, what, "none yet", "a better mark or the next day")
        else:
            desk.alarms.clear("loss")

    def _orders(self) -> None:
        desk, now_ns, now_ms = self._desk, self._desk.clocks.mono_ns(), self._desk.clocks.wall_ms()
        for order in desk.ledger.live.values():
            reconciler = desk.seats[order.intent.venue].reconciler
            if order.counted > order.matched:
                reconciler.request("fills missing")
            ends = order.dead_by_ms
            if order.life is Life.WORKING and ends is not None and now_ms > ends + PAST_EXPIRY_MS:
                reconciler.request("order past its expiry")
        for parked in desk.ledger.parked.values():
            if now_ns - parked.since_ns > PARKED_LOOKUP_NS:
                desk.seats[parked.fill.venue].reconciler.request("fills without an order")
        for seat in desk.seats.values():
            since_ns = seat.reconciler.incomplete_since_ns
            if seat.ready and since_ns is not None and now_ns - since_ns > READING_LOST_NS:
                incidents.stop(desk, seat.scope, Level.HALTED, "the account could not be read for a minute")

    def _externals(self) -> None:
        """Orders of the account that were not placed here: shown and counted; automatic mode waits."""
        desk = self._desk
        resting = desk.ledger.externals
        for order_id in sorted(self._strangers - resting.keys()):
            desk.alarms.clear(f"external {order_id}")
        for order_id in sorted(resting.keys() - self._strangers):
            ticker = resting[order_id].ticker
            what = f"order {order_id} in {ticker} was not placed here"
            desk.alarms.raise_(
                f"external {order_id}",
                AlarmLevel.ACT,
                what,
                "it counts in every limit; no automatic mode before this is acknowledged",
                "the end of that order",
                ticker,
            )
            incidents.note(desk, Row.EXTERNAL_ORDER, ticker, what)
            end_automatic(desk.state, desk.scribe, what)
        self._strangers = set(resting)

    def problem(self) -> None:
        """What is wrong with the desk itself, in the status bar; how much a dead journal has missed."""
        desk = self._desk
        fault = desk.scribe.log.fault
        offsets = [seat.venue.clock_offset_ms() or 0 for seat in desk.seats.values()]
        offset = max(offsets, key=abs)
        problem = ""
        if fault is not None:
            problem = "NO JOURNAL"
            what = f"NO JOURNAL: {fault.reason}; {desk.scribe.log.lost} rows are not on disk"
            desk.alarms.raise_("journal", AlarmLevel.ACT, what, "the desk is halted", "a restart")
        elif abs(offset) > desk.state.limits.current.clock_offset_ms_max:
            problem = f"CLOCK {offset / 1000:+.1f}s"
        if problem != desk.state.problem:
            desk.state.problem = problem
            desk.state.touch_status()

    def _presence(self) -> None:
        desk = self._desk
        desk.supervision.tick()
        if not desk.supervision.entries_must_go():
            return
        entries = [c for c, o in desk.ledger.live.items() if o.intent.purpose is Purpose.OPEN]
        count = desk.seats.cancel(entries, "nobody supervises")
        if desk.state.mode is Mode.AUTO:
            # A console that attaches by itself must not set entries going again: that is a person's word.
            minutes = desk.settings.engine.unattended_max_s / 60
            what = f"automatic mode was unattended for {minutes:g} min"
            incidents.stop(desk, GLOBAL, Level.REDUCE_ONLY, what)
        elif count:
            what = f"nobody supervises: {count} entry orders cancelled"
            desk.alarms.raise_("presence", AlarmLevel.CHECK, what, "no entries", "an attached console")
            desk.alarms.clear("presence")

"""What an operator does when something has stopped, or when record and venue disagree.

Seeing is one act (acknowledge), deciding another (accept, resolve), going on a third (resume). What
proof contradicts is refused whatever is typed.
"""

from __future__ import annotations

from collections.abc import Collection

from core.domain.order import Life, Order
from core.domain.units import Price
from core.engine import rules
from core.engine.alarms import SHELF_MIN_MAX
from core.engine.hands import Hands
from core.engine.incidents import name_of
from core.engine.operator import VIEWER_REFUSED, Actor, Outcome, accepted, refused
from core.engine.seat import Seat
from core.engine.state import ALL_STRATEGIES, Alarm, AlarmLevel, Mode
from core.execution.differences import About
from core.execution.events import OrderReported, OrderWrittenOff
from core.execution.reconcile import INCOMPLETE_MAX
from core.risk.halts import RESUME_WORD, HaltScope, ResumeFacts, ScopeKind
from core.risk.trips import TripKind
from core.venues.venue import Incomplete, OrderReport

ACCEPT_WORD = "accept"
RESOLVE_WORD = "resolve"
CASH = "cash"
_UNSHELVABLE = {
    AlarmLevel.ACT: "somebody has to act on it; acknowledge it once you do",
    AlarmLevel.NOTE: "a note passes by itself",
}
COUNTED = (About.POSITION, About.CASH)


class Repairs(Hands):
    """See the module."""

    # --- seeing --------------------------------------------------------------------------------

    def acknowledge(self, alarm_id: int, actor: Actor) -> Outcome:
        if not actor.may_operate:
            return VIEWER_REFUSED
        alarm = self.desk.alarms.acknowledge(alarm_id, actor.name)
        if alarm is None:
            return refused("That alarm is gone or was acknowledged before.")
        return accepted(self._seen(alarm, actor) or "Seen; its cause stays until it clears.")

    def acknowledge_all(self, actor: Actor) -> Outcome:
        if not actor.may_operate:
            return VIEWER_REFUSED
        unseen = [
            a.id
            for a in self.desk.state.alarms.values()
            if not a.acknowledged and a.shelf is None and a.level is not AlarmLevel.NOTE
        ]
        if not unseen:
            return refused("Every alarm was acknowledged before.")
        seen = [alarm for a in unseen if (alarm := self.desk.alarms.acknowledge(a, actor.name)) is not None]
        lifted = [text for alarm in seen if (text := self._seen(alarm, actor))]
        return accepted(" ".join([f"{len(seen)} alarms seen; their causes stay until they clear.", *lifted]))

    def shelve(self, alarm_id: int, minutes: int, reason: str, actor: Actor) -> Outcome:
        """Put a CHECK aside for a time; it rings anew when that is over and its cause still stands."""
        if not actor.may_operate:
            return VIEWER_REFUSED
        alarm = self.desk.state.alarms.get(alarm_id)
        if alarm is None:
            return refused("That alarm is gone.")
        if alarm.level is not AlarmLevel.CHECK:
            return refused(f"Alarm {alarm.id} cannot be shelved: {_UNSHELVABLE[alarm.level]}.")
        if not 1 <= minutes <= SHELF_MIN_MAX:
            return refused(f"An alarm is shelved for 1m to {SHELF_MIN_MAX // 60}h, not {minutes} minutes.")
        self.desk.alarms.shelve(alarm, minutes, reason, actor.name)
        return accepted(
            f"Shelved for {minutes} min: listed under Alarms alone. It rings again when that is over, when it"
            " gets worse, and after a restart."
        )

    def unshelve(self, alarm_id: int, actor: Actor) -> Outcome:
        if not actor.may_operate:
            return VIEWER_REFUSED
        alarm = self.desk.state.alarms.get(alarm_id)
        if alarm is None or alarm.shelf is None:
            return refused("That alarm is not shelved.")
        self.desk.alarms.unshelve(alarm, actor.name)
        return accepted(f"Alarm {alarm.id} is no longer shelved.")

    def _seen(self, alarm: Alarm, actor: Actor) -> str:
        """What seeing it lifts, as a sentence; empty for nothing."""
        scope = alarm.scope
        if scope is None or not self.desk.halting.acknowledge(scope, actor.name):
            return ""
        self.desk.alarms.clear(f"halt {scope}")
        self.trading.mark_all()
        return f"Seen; entries of {scope} go on."

    # --- going on ------------------------------------------------------------------------------

    def resume(self, confirm: str, reason: str, actor: Actor, scope: str = "") -> Outcome:
        """Lift every halt, or those of one scope, after a clean reconcile; comes up semi-automatic.

        A halt that covers more than a market leaves entries paused.
        """
        if not actor.may_operate:
            return VIEWER_REFUSED
        desk = self.desk
        standing = [halt.scope for halt in desk.state.halts.standing]
        if not standing:
            return refused("Nothing is halted.")
        scopes = [s for s in standing if not scope or scope == name_of(s)]
        if not scopes:
            halted = ", ".join(map(name_of, standing))
            return refused(f"{scope[:60]!r} is not halted; what is: {halted}.")
        if desk.stop.running:
            return refused("A flatten is running; it ends first.")
        if confirm != RESUME_WORD or not reason.strip():
            return refused(f"Resuming needs the typed word '{RESUME_WORD}' and a reason.")
        drawdown = next((t for t in desk.state.trips.values() if t.kind is TripKind.DRAWDOWN), None)
        if drawdown is not None:
            return refused(f"Not while this stands: {drawdown.cause}; {drawdown.clears} comes first.")
        if desk.scribe.log.fault is not None:
            return refused("Not without a journal: stop the engine, see to its disk, and start it again.")
        against = self._against_resume(scopes)
        if against:
            return refused(against)
        facts = ResumeFacts(
            clean_reconcile_age_s=self._clean_age_s(scopes),
            unknown_orders=sum(self._covers(scopes, o.intent.ticker) for o in desk.ledger.unknown()),
            confirm=confirm,
            reason=reason,
        )
        missing = desk.halting.resume(scopes, facts, actor.name)
        if missing is not None:
            desk.seats.read("resume")
            return refused(missing)
        if not desk.seats.halted:
            desk.stop.let_go()
        rules.accept(desk, scopes, actor.name)
        desk.alarms.resumed(scopes)
        self._present(actor)
        self._set_mode(Mode.SEMI, reason, actor.name)
        if all(s.kind is ScopeKind.MARKET for s in scopes):
            self.trading.mark_all()
            return accepted(f"Resumed {', '.join(s.name for s in scopes)}: semi-automatic.")
        self._set_pause(ALL_STRATEGIES, paused=True, by=actor.name, why="after a resume")
        return accepted("Resumed: semi-automatic, entries paused until unpause.")

    def _clean_age_s(self, scopes: Collection[HaltScope]) -> float | None:
        """How long ago the covered account that was cleanly read longest ago was; ``None``: one never was.

        A venue that does not answer holds up no other: it takes no entries before it agrees again.
        """
        covered = [
            seat for seat in self.desk.seats.values() if any(seat in self.desk.seats.under(s) for s in scopes)
        ]
        answering = [s for s in covered if s.ready and s.reconciler.incomplete_count < INCOMPLETE_MAX]
        clean = [seat.reconciler.clean_ns for seat in answering or covered]
        known = [at for at in clean if at is not None]
        if not known or len(known) < len(clean):
            return None
        return (self.desk.clocks.mono_ns() - min(known)) / 1e9

    def _against_resume(self, scopes: Collection[HaltScope]) -> str:
        desk = self.desk
        for seat in desk.seats.values():
            for difference in seat.reconciler.differences.values():
                ticker = difference.key.ticker
                if difference.blocks and (self._covers(scopes, ticker) if ticker else seat.scope in scopes):
                    return f"Not while this stands: {difference}."
        unseen = desk.alarms.unseen(scopes)
        if unseen is not None:
            return f"Acknowledge alarm {unseen.id} first (Space, or alarms ack): {unseen.what}."
        return ""

    def _covers(self, scopes: Collection[HaltScope], ticker: str) -> bool:
        return any(self.desk.halting.covers(scope, ticker) for scope in scopes)

    # --- deciding ------------------------------------------------------------------------------

    def reconcile(self, actor: Actor) -> Outcome:
        """Read the account now; the answer is in the reconciler's next reading."""
        if not actor.may_operate:
            return VIEWER_REFUSED
        self._command("reconcile", actor)
        self.desk.seats.read(f"{actor.name} asked")
        return accepted("Reading the account.")

    def accept(self, what: str, confirm: str, reason: str, actor: Actor) -> Outcome:
        """Take the venue's count of a market's position, or of the cash, for the truth."""
        if not actor.may_operate:
            return VIEWER_REFUSED
        if confirm != ACCEPT_WORD or not reason.strip():
            return refused(f"Taking the venue's count needs the typed word '{ACCEPT_WORD}' and a reason.")
        seats = self.desk.seats.values()
        counted = [
            (seat, key) for seat in seats for key in seat.reconciler.differences if key.about in COUNTED
        ]
        standing = ", ".join(key.ticker or CASH for _, key in counted)
        differing = [seat for seat, key in counted if (key.ticker or CASH) == what]
        if not differing:
            against = "The cash agrees." if what == CASH else f"No position of {what[:60]} differs."
        elif what == CASH:
            against = _accept_cash(differing)
        else:
            (seat,) = differing
            worth = self._worth(seat, what)
            against = seat.reconciler.accept_position(what, worth, reason, actor.name)
        if against:
            return refused(f"{against} What differs: {standing or 'nothing'}.")
        self._command(f"accept the venue's count of {what}: {reason}", actor)
        self._present(actor)
        return accepted(f"The venue's count of {what} is ours now; the next reading confirms it.")

    def _worth(self, seat: Seat, ticker: str) -> Price:
        """Price of YES at which contracts that appear are taken in: what they could be sold for now."""
        view, net = seat.venue.books.get(ticker), seat.reconciler.venue_net.get(ticker, 0)
        if view is None:
            return Price(0 if net > 0 else 10_000)
        touch = view.book.best_bid if net > 0 else view.book.best_ask
        return touch if touch is not None else Price(0 if net > 0 else 10_000)

    def resolve(self, order: str, found: str, confirm: str, reason: str, actor: Actor) -> Outcome:
        """End a look-up nobody can end: the order never arrived, or it is the venue's order ``found``."""
        if not actor.may_operate:
            return VIEWER_REFUSED
        lost = self.desk.ledger.unknown()
        named = [o for o in lost if order and o.intent.client_order_id.endswith(order)]
        if len(named) != 1:
            what = "more than one UNKNOWN order ends so" if named else "no UNKNOWN order of that id"
            return refused(f"{order[:60] or 'resolve'}: {what}.")
        if confirm != RESOLVE_WORD or not reason.strip():
            return refused(f"Resolving by hand needs the typed word '{RESOLVE_WORD}' and a reason.")
        client = named[0].intent.client_order_id
        if found:
            self._command(f"resolve {client} as the venue's {found}: {reason}", actor)
            self.desk.tasks.spawn(f"resolve {client}", self._adopt(client, found))
            return accepted(f"Asking the venue for {found}; the order's row shows what came of it.")
        seat = self.desk.seats[named[0].intent.venue]
        against = seat.unknowns.against_writing_off(client)
        if against:
            return refused(against)
        self._present(actor)
        self.desk.ledger.apply(client, OrderWrittenOff(reason, actor.name))
        seat.reconciler.request("an order resolved by hand")
        return accepted(f"{client[-4:]} counts as never arrived; what it had reserved is free.")

    async def _adopt(self, client: str, found: str) -> None:
        """Bind an UNKNOWN order to the venue's order a person has named, if it can be the same."""
        desk = self.desk
        seat = desk.seats[desk.ledger.orders[client].intent.venue]
        report = await seat.venue.order(found)
        order = desk.ledger.orders[client]
        if order.life is not Life.UNKNOWN:
            return
        why = _cannot_be(order, report)
        if why:
            desk.alarms.raise_(
                f"resolve {client}",
                AlarmLevel.CHECK,
                f"order {client[-4:]} is not the venue's {found}: {why}",
                "it stays UNKNOWN",
                "its resolution",
                order.intent.ticker,
            )
            return
        assert isinstance(report, OrderReport)
        desk.alarms.clear(f"resolve {client}")
        desk.ledger.apply(client, OrderReported(report, "operator"))
        seat.reconciler.request("an order resolved by hand")


def _accept_cash(seats: Collection[Seat]) -> str:
    """Take the cash of all these accounts or of none; the sentence why of none."""
    against = next(filter(None, (seat.reconciler.against_cash() for seat in seats)), "")
    if not against:
        for seat in seats:
            seat.reconciler.accept_cash()
    return against


def _cannot_be(order: Order, report: OrderReport | Incomplete | None) -> str:
    """Why a venue's order is not this one; empty when it can be."""
    if report is None:
        return "the venue knows no such order"
    if isinstance(report, Incomplete):
        return f"it could not be read ({report.reason})"
    intent = order.intent
    if order.sealed_id and report.order_id != order.sealed_id:
        return f"its id there can only be {order.sealed_id}"
    if report.client_order_id not in ("", intent.client_order_id):
        return f"it carries the id {report.client_order_id}"
    theirs = (report.ticker, report.side, report.price, report.quantity)
    if theirs != (intent.ticker, intent.side, intent.price, intent.quantity):
        return "market, side, price or size are others"
    return ""

"""What an operator does to stop: halt, flatten and everything on its way, and the drill of the watchdog.

Everybody may halt and flatten; what takes a stop back, hurries it or rehearses it is for whoever controls.
"""

from __future__ import annotations

from core.domain.order import Purpose
from core.domain.units import Price
from core.engine.hands import Hands
from core.engine.operator import VIEWER_REFUSED, Actor, Outcome, accepted, refused
from core.engine.state import Mode
from core.execution.exits import NoExit, resting_exit
from core.execution.gateway import Denied, Wish
from core.execution.proposals import describe
from core.risk.halts import GLOBAL, Level

SWEEP_ECHO_S = 60.0
"""So long after an account-wide cancel the venue may cancel what is placed meanwhile."""


class Stops(Hands):
    """See the module."""

    def halt(self, reason: str, actor: Actor) -> Outcome:
        """Stop entries and cancel every order of ours. Everybody may."""
        cause = reason or f"halted by {actor.name}"
        for seat in self.desk.seats.values():
            seat.groups.trigger(Purpose.OPEN, cause)
        count = self.desk.seats.cancel(tuple(self.desk.ledger.live), "halt")
        self.desk.halting.rise(GLOBAL, Level.HALTED, cause, actor.name)
        self.desk.seats.read("halt")  # from now on often enough for a resume
        return accepted(
            f"HALTED. Cancels sent: {count}. Positions stay. Resume asks for a word and a reason."
        )

    def flatten(
        self, actor: Actor, *, now: bool = False, sent_ns: int = 0, include_external: bool = False
    ) -> Outcome:
        """Halt and send every cancel in this loop step; joins a running flatten. Everybody may.

        Orders that were not placed here are left alone unless whoever is in control includes them.
        """
        desk = self.desk
        joins = desk.stop.running
        began = desk.clocks.mono_ns()
        if not joins:
            desk.halting.flatten_begins(actor.name)
        sweep = include_external and actor.may_operate
        ladder = desk.stop.start(actor.name, now=now, sweep=sweep)
        late_ms = (began - sent_ns) / 1e6 if sent_ns else None
        self._command(
            "flatten" + (" now" if now else ""), actor, joins=joins, pressed=ladder.pressed, late_ms=late_ms
        )
        if joins:
            return accepted(f"A flatten is running ({ladder.phase.value}); pressed {ladder.pressed} times.")
        return accepted(f"STOPPING: {ladder.scope}.")

    def drill_watchdog(self, actor: Actor) -> Outcome:
        """Fall silent until the watchdog strikes: every order is cancelled for real, the desk halts."""
        if not actor.may_operate:
            return VIEWER_REFUSED
        if self.desk.state.mode is Mode.AUTO:
            return refused("Not in automatic mode; switch to semi first.")
        against = self.desk.watched.drill()
        if against:
            return refused(f"Not now: {against}.")
        self._command("watchdog drill", actor)
        return accepted("The engine falls silent until the watchdog strikes; the desk ends halted.")

    def abort_flatten(self, actor: Actor) -> Outcome:
        """Keep the positions; halted and cancelled all the same."""
        if not actor.may_operate:
            return VIEWER_REFUSED
        if not self.desk.stop.abort():
            return refused("No stop is under way that could still keep a position.")
        self._command("flatten stopped, positions kept", actor)
        return accepted("Stopped: orders are cancelled, positions kept, the desk is halted.")

    def hurry_exits(self, actor: Actor) -> Outcome:
        """The second, confirmed press while exits are under way: sell further down."""
        if not actor.may_operate:
            return VIEWER_REFUSED
        if not self.desk.stop.hurry():
            return refused("There are no exits under way to hurry.")
        self._command("exits hurried", actor)
        return accepted("Exits reach down to the widest protection from the next one on.")

    def rest_exit(self, ticker: str, price: Price, actor: Actor) -> Outcome:
        """Rest an exit of everything held in a market at a price in terms of the outcome held."""
        desk = self.desk
        if not actor.may_operate:
            return VIEWER_REFUSED
        known = desk.state.markets.get(ticker)
        if known is None:
            return refused(f"There is no market {ticker[:60]!r} on this desk.")
        seat = desk.seat(ticker)
        swept = seat.flattener.swept_s_ago()
        if swept is not None and swept < SWEEP_ECHO_S:
            left = SWEEP_ECHO_S - swept
            return refused(f"The venue may cancel it with everything else; try again in {left:.0f} s.")
        wanted = resting_exit(known.market, desk.ledger.net(ticker), desk.ledger.closable(ticker), price)
        if isinstance(wanted, NoExit):
            return refused(f"{ticker}: {wanted.reason}.")
        sent = seat.gateway.send(Wish(wanted, flatten=True))
        if isinstance(sent, Denied):
            desk.scribe.denied_exit(wanted, sent, actor=actor.name)
            return refused(f"{ticker}: not sent, {sent.reason}.")
        self._command(f"rest an exit: {describe(wanted)}", actor)
        return accepted(f"An exit rests: {describe(wanted)}, order {sent.intent.client_order_id[-4:]}.")

    def skip_wait(self, actor: Actor) -> Outcome:
        if not actor.may_operate:
            return VIEWER_REFUSED
        if not self.desk.stop.skip():
            return refused("There is no countdown to skip.")
        self._command("countdown skipped", actor)
        return accepted("Exits begin now.")

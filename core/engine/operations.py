"""Everything an operator can ask of the engine. Each method answers in the same loop step.

What makes the desk safer is done at once and never refused for its wording; what makes it riskier
asks for a typed word, a reason, or the right moment.
"""

from __future__ import annotations

from core.domain.order import Purpose
from core.domain.units import Price, Quantity
from core.engine.arming import Arming, against
from core.engine.facts import judge, refreshed
from core.engine.operator import VIEWER_REFUSED, Actor, ActorKind, Outcome, accepted, refused
from core.engine.repairs import Repairs
from core.engine.state import ALL_STRATEGIES, Mode
from core.execution.approvals import Proposal, ProposalState, describe
from core.execution.exits import NoExit, resting_exit
from core.execution.gateway import Denied, Wish
from core.journal.events import Event, Kind
from core.journal.projections import LimitChanged
from core.risk.halts import GLOBAL, Level
from core.risk.limits import Refusal
from core.risk.trips import ENABLE_WORD, TripKind, named
from core.venues.venue import LinkState

SWEEP_ECHO_S = 60.0
"""So long after an account-wide cancel the venue may cancel what is placed meanwhile."""
AUTOMATIC_WORD = "automatic"
UNPAUSE_WORD = "unpause"
NOT_READY = refused("The engine is still starting; nothing is sent before it has read the account.")


class Operations(Repairs):
    """The operator's side of a desk; ``Engine`` adds the machine around it."""

    arming: Arming | None

    # --- cards ---------------------------------------------------------------------------------

    def approve(self, proposal_id: str, fingerprint: str, shown_ns: int, actor: Actor) -> Outcome:
        """Release a card. ``shown_ns``: when the newest frame a console has seen was made."""
        card = self._card(proposal_id, fingerprint, actor)
        if isinstance(card, Outcome):
            return card
        if actor.kind is ActorKind.CONSOLE and self.desk.approvals.lagging(shown_ns):
            return refused(f"{proposal_id}: the screen was more than 1 s behind; look again.")
        if card.state is ProposalState.BLOCKED:
            verdict = judge(self.desk, card.candidate, card.id)
            card = self.desk.approvals.judge(card, verdict)
            if card.state is ProposalState.BLOCKED:
                first = verdict.denials[0]
                return refused(f"{proposal_id} is blocked: {first}. It clears with {first.clears}.")
        self._note(
            Kind.APPROVAL,
            card,
            f"{card.id} approved: {describe(card.candidate)}",
            actor,
            waited_ms=(self.desk.clocks.mono_ns() - card.changed_ns) // 1_000_000,
            shown_ns=shown_ns,
        )
        return self.trading.release(card, actor)

    def veto(self, proposal_id: str, fingerprint: str, reason: str, actor: Actor) -> Outcome:
        card = self._card(proposal_id, fingerprint, actor)
        if isinstance(card, Outcome):
            return card
        self._note(Kind.COMMAND, card, f"veto {card.id} {reason}".rstrip(), actor)
        self.desk.approvals.veto(card, reason)
        return accepted(f"{proposal_id} vetoed.")

    def defer(self, proposal_id: str, fingerprint: str, actor: Actor) -> Outcome:
        """To the end of the queue; its time goes on."""
        card = self._card(proposal_id, fingerprint, actor)
        if isinstance(card, Outcome):
            return card
        self._note(Kind.COMMAND, card, f"defer {card.id}", actor)
        self.desk.approvals.defer(card)
        return accepted(f"{proposal_id} deferred; its time goes on.")

    def edit(
        self, proposal_id: str, fingerprint: str, price: Price, quantity: Quantity, actor: Actor
    ) -> Outcome:
        """Smaller or better only; ``price`` in terms of the outcome named on the card."""
        card = self._card(proposal_id, fingerprint, actor)
        if isinstance(card, Outcome):
            return card
        market = self.desk.state.markets[card.candidate.ticker].market
        wanted = self.desk.approvals.edited(card, market, price, quantity)
        if not isinstance(wanted, str):
            wanted = refreshed(self.desk, wanted)
        if isinstance(wanted, str):
            return refused(f"{proposal_id}: {wanted}")
        self._note(Kind.COMMAND, card, f"edit {card.id}: {describe(wanted)}", actor)
        self.desk.approvals.edit(card, wanted, judge(self.desk, wanted, card.id))
        return accepted(f"{proposal_id} is {describe(wanted)} now; approve it again.")

    def _card(self, proposal_id: str, fingerprint: str, actor: Actor) -> Proposal | Outcome:
        if not actor.may_operate:
            return VIEWER_REFUSED
        if not self.desk.state.ready:
            return NOT_READY
        self._present(actor)
        found = self.desk.approvals.find(proposal_id, fingerprint)
        return refused(found) if isinstance(found, str) else found

    def _note(self, kind: Kind, card: Proposal, text: str, actor: Actor, **values: object) -> None:
        self.desk.scribe.card(
            kind,
            text,
            card.id,
            actor=actor.name,
            ticker=card.candidate.ticker,
            fingerprint=card.fingerprint,
            **values,
        )

    # --- orders --------------------------------------------------------------------------------

    def cancel_order(self, client_order_id: str, actor: Actor) -> Outcome:
        """Also takes an unambiguous end of the id, as shown on screen."""
        if not actor.may_operate:
            return VIEWER_REFUSED
        live = self.desk.ledger.live
        wanted = client_order_id.strip()
        found = [c for c in live if wanted and (c == wanted or c.endswith(wanted))]
        if len(found) != 1:
            what = "more than one working order ends so" if found else "no working order of that id"
            return refused(f"{wanted or 'cancel'}: {what}.")
        self._command(f"cancel order {found[0]}", actor)
        self.desk.gateway.cancel(found, f"cancelled by {actor.name}")
        return accepted(f"Cancel of {found[0][-4:]} sent; it counts until the venue confirms.")

    def cancel_market(self, ticker: str, actor: Actor) -> Outcome:
        if not actor.may_operate:
            return VIEWER_REFUSED
        if ticker not in self.desk.state.markets:
            return refused(f"There is no market {ticker[:60]!r} on this desk.")
        self._command(f"cancel every order of {ticker}", actor)
        count = self.desk.gateway.cancel(
            [o.intent.client_order_id for o in self.desk.ledger.live_in(ticker)], f"cancelled by {actor.name}"
        )
        return accepted(f"Cancel of {count} orders sent." if count else "No working order there.")

    # --- autonomy ------------------------------------------------------------------------------

    def pause(self, strategy: str, actor: Actor) -> Outcome:
        """Stop entries of one strategy, or of all with an empty name."""
        if not actor.may_operate:
            return VIEWER_REFUSED
        name = strategy or ALL_STRATEGIES
        if name not in (ALL_STRATEGIES, self.desk.rules.strategy):
            return refused(f"There is no strategy {name[:40]!r}; there is {self.desk.rules.strategy!r}.")
        self._set_pause(name, paused=True, by=actor.name)
        return accepted(f"Entries of {'all strategies' if name == ALL_STRATEGIES else name} are paused.")

    def unpause(self, strategy: str, confirm: str, actor: Actor) -> Outcome:
        if not actor.may_operate:
            return VIEWER_REFUSED
        name = strategy or ALL_STRATEGIES
        paused = self.desk.state.paused
        if name != ALL_STRATEGIES and name not in paused:
            return refused(f"{name[:40]!r} is not paused.")
        if not paused:
            return refused("Nothing is paused.")
        halt = self.desk.state.halts.at(GLOBAL)
        if halt is not None:
            return refused(f"Not while the desk is {halt.level.name} ({halt.cause}); resume comes first.")
        if confirm != UNPAUSE_WORD:
            return refused(f"Letting entries go on needs the typed word '{UNPAUSE_WORD}'.")
        self._present(actor)
        self._set_pause(name, paused=False, by=actor.name)
        if paused:
            return accepted(f"{name} is no longer paused by itself; all entries still are.")
        return accepted("Entries go on.")

    def reenable(self, name: str, confirm: str, reason: str, actor: Actor) -> Outcome:
        """Switch on again what tripped: a market by its ticker, ``automatic``, or ``drawdown``."""
        if not actor.may_operate:
            return VIEWER_REFUSED
        standing = self.desk.state.trips.values()
        found = named(standing, name.strip())
        if not found:
            off = ", ".join(sorted({trip.name for trip in standing})) or "nothing"
            return refused(f"{name[:60]!r} is not off; off is: {off}.")
        if confirm != ENABLE_WORD or not reason.strip():
            return refused(
                f"Switching {found[0].name} on again needs the typed word '{ENABLE_WORD}' and a reason."
            )
        self._present(actor)
        self.desk.trips.enable(found, reason, actor.name)
        self.trading.mark_all()
        return accepted(f"{found[0].name} is on again and counted anew.")

    def set_mode(self, mode: str, confirm: str, reason: str, actor: Actor) -> Outcome:
        """``semi`` at once, ``auto`` with the typed word ``automatic``."""
        if not actor.may_operate:
            return VIEWER_REFUSED
        state = self.desk.state
        if mode not in (Mode.SEMI.value, Mode.AUTO.value):
            return refused(f"There is no mode {mode[:40]!r}; use 'semi' or 'auto'.")
        if mode == Mode.AUTO.value:
            if confirm != AUTOMATIC_WORD:
                return refused(f"Automatic mode needs the typed word '{AUTOMATIC_WORD}'.")
            against = self._against_auto()
            if against:
                return refused(against)
        self._present(actor)
        self._set_mode(Mode(mode), reason, actor.name)
        if state.mode is Mode.AUTO:
            return accepted("Automatic: orders leave without a card, within every limit.")
        return accepted("Semi-automatic: every order waits for you.")

    def _against_auto(self) -> str:
        state = self.desk.state
        if not state.ready:
            return NOT_READY.text
        if state.halts.standing:
            return f"Not while something is halted: {state.halts.standing[0].cause}."
        streak = next((t for t in state.trips.values() if t.kind is TripKind.STREAK), None)
        if streak is not None:
            return f"Not while it is off: {streak.cause}; {streak.clears} comes first."
        unseen = self.desk.alarms.standing_unseen("external ")
        if unseen is not None:
            return f"Acknowledge alarm {unseen.id} first: {unseen.what}."
        if self.desk.watched.problem():
            return f"Not while the watchdog would not cancel for this engine: {self.desk.watched.problem()}."
        if self.desk.groups.missing:
            return f"Not while the venue's safety groups are not armed: {self.desk.groups.missing}."
        if state.link.state is not LinkState.OK:
            return f"Not while the venue's stream is {state.link.state.value}."
        return ""

    def arm(self, confirm: str, reason: str, actor: Actor) -> Outcome:
        """Let entries leave with real money, for the life of this process."""
        if not actor.may_operate:
            return VIEWER_REFUSED
        state, arming = self.desk.state, self.arming
        if arming is None:
            return refused(f"Profile {state.profile} needs no arming.")
        if state.armed:
            return refused("The desk is armed.")
        if not state.ready:
            return NOT_READY
        if state.halts.standing:
            return refused(f"Not while something is halted: {state.halts.standing[0].cause}.")
        if confirm != arming.phrase or not reason.strip():
            return refused(f"Arming needs the typed word '{arming.phrase}' and a reason.")
        limits = state.limits.ceilings.digest()
        standing = against(arming, limits, self.desk.clocks.wall_ms())
        if standing:
            return refused(standing)
        self._present(actor)
        text = f"armed: {reason}"
        self.desk.scribe.desk(
            Kind.ARM, text, actor=actor.name, armed=True, limits=limits, code=arming.code_version
        )
        self._set_armed(True)
        return accepted("ARMED: approved entries leave with real money from now on.")

    def disarm(self, reason: str, actor: Actor) -> Outcome:
        """No entry leaves any more and every resting one is cancelled; instant, for anyone in control."""
        if not actor.may_operate:
            return VIEWER_REFUSED
        if self.arming is None:
            return refused(f"Profile {self.desk.state.profile} needs no arming; halt stops it.")
        entries = [c for c, o in self.desk.ledger.live.items() if o.intent.purpose is Purpose.OPEN]
        count = self.desk.gateway.cancel(entries, "disarmed")
        text = f"disarmed {reason}".rstrip()
        self.desk.scribe.desk(Kind.ARM, text, actor=actor.name, armed=False)
        self._set_armed(False)
        return accepted(f"Disarmed. Cancels of entries sent: {count}. Exits, halt and flatten still work.")

    def _set_armed(self, armed: bool) -> None:
        self.desk.state.armed = armed
        self.desk.state.touch_status()
        self.trading.mark_all()

    # --- stopping and going on -----------------------------------------------------------------

    def halt(self, reason: str, actor: Actor) -> Outcome:
        """Stop entries and cancel every order of ours. Everybody may."""
        cause = reason or f"halted by {actor.name}"
        self.desk.groups.trigger(Purpose.OPEN, cause)
        count = self.desk.gateway.cancel(tuple(self.desk.ledger.live), "halt")
        self.desk.halting.rise(GLOBAL, Level.HALTED, cause, actor.name)
        self.desk.reconciler.request("halt")  # from now on often enough for a resume
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
        joins = desk.flattener.running
        began = desk.clocks.mono_ns()
        if not joins:
            desk.halting.flatten_begins(actor.name)
        sweep = include_external and actor.may_operate
        ladder = desk.flattener.start(actor.name, now=now, sweep=sweep)
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
        if not self.desk.flattener.abort():
            return refused("There is no countdown to stop.")
        self._command("flatten stopped in its countdown", actor)
        return accepted("Stopped: orders are cancelled, positions kept, the desk is halted.")

    def hurry_exits(self, actor: Actor) -> Outcome:
        """The second, confirmed press while exits are under way: sell further down."""
        if not actor.may_operate:
            return VIEWER_REFUSED
        if not self.desk.flattener.hurry():
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
        swept = desk.flattener.swept_s_ago()
        if swept is not None and swept < SWEEP_ECHO_S:
            left = SWEEP_ECHO_S - swept
            return refused(f"The venue may cancel it with everything else; try again in {left:.0f} s.")
        wanted = resting_exit(known.market, desk.ledger.net(ticker), desk.ledger.closable(ticker), price)
        if isinstance(wanted, NoExit):
            return refused(f"{ticker}: {wanted.reason}.")
        sent = desk.gateway.send(Wish(wanted, flatten=True))
        if isinstance(sent, Denied):
            return refused(f"{ticker}: not sent, {sent.reason}.")
        self._command(f"rest an exit: {describe(wanted)}", actor)
        return accepted(f"An exit rests: {describe(wanted)}, order {sent.intent.client_order_id[-4:]}.")

    def skip_wait(self, actor: Actor) -> Outcome:
        if not actor.may_operate:
            return VIEWER_REFUSED
        if not self.desk.flattener.skip():
            return refused("There is no countdown to skip.")
        self._command("countdown skipped", actor)
        return accepted("Exits begin now.")

    # --- limits -------------------------------------------------------------------------------

    def set_limit(self, name: str, value: str, confirm: str, reason: str, actor: Actor) -> Outcome:
        """Tighten at once; loosen up to the ceiling with the typed word ``raise`` and a reason."""
        if not actor.may_operate:
            return VIEWER_REFUSED
        state = self.desk.state
        changed = state.limits.set_live(name, value, confirm, reason)
        if isinstance(changed, Refusal):
            return refused(changed.reason)
        before, after = state.limits.current.value(name), changed.current.value(name)
        row = LimitChanged(name, before, after, changed.ceilings.value(name), reason)
        self.desk.scribe.log.append(Event(Kind.LIMIT, row, actor=actor.name))
        state.limits = changed
        state.limit_changes += 1
        self.desk.groups.follow_limits()
        state.touch_status()
        self.trading.mark_all()
        return accepted(f"{name} is {value} now.")

    # --- presence ------------------------------------------------------------------------------

    def controller_attached(self, actor: Actor) -> None:
        """This console now holds control."""
        state = self.desk.state
        state.controller, state.controller_session = actor.name, actor.session
        state.touch_status()
        self._command("takes control", actor)
        self.desk.supervision.seen()

    def controller_gone(self) -> None:
        """No console holds control any more: the grace begins."""
        self.desk.state.controller = self.desk.state.controller_session = ""
        self.desk.state.touch_status()
        self.desk.supervision.seen()

    def viewers(self, count: int) -> None:
        """How many consoles are attached without control."""
        if self.desk.state.viewers != count:
            self.desk.state.viewers = count
            self.desk.state.touch_status()

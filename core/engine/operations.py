"""Everything an operator can ask of the engine. Each method answers in the same loop step.

What makes the desk safer is done at once and never refused for its wording; what makes it riskier
asks for a typed word, a reason, or the right moment.
"""

from __future__ import annotations

import msgspec

from core.domain.drawn import Drawn
from core.domain.order import Purpose
from core.domain.units import Price, Quantity
from core.engine.arbitrage import Arbitrage
from core.engine.arming import Arming, against
from core.engine.by_hand import ByHand
from core.engine.confirming import Confirming
from core.engine.decisions import decided
from core.engine.judging import judge, refreshed
from core.engine.linking import Linking
from core.engine.operator import NOT_READY, VIEWER_REFUSED, Actor, ActorKind, Outcome, accepted, refused
from core.engine.repairs import Repairs
from core.engine.state import ALL_STRATEGIES, Mode
from core.engine.stops import Stops
from core.execution.proposals import Proposal, ProposalState, describe
from core.journal.events import Event, Kind
from core.journal.projections import LimitChanged
from core.risk.halts import GLOBAL
from core.risk.limits import Refusal
from core.risk.trips import ENABLE_WORD, TripKind, named
from core.strategy.plan import ARBITRAGE
from core.strategy.proposal import MANUAL, Candidate
from core.venues.venue import LinkState

AUTOMATIC_WORD = "automatic"
UNPAUSE_WORD = "unpause"


class Operations(Repairs, Stops, Linking, Confirming, ByHand):
    """The operator's side of a desk; ``Engine`` adds the machine around it."""

    arming: Arming | None
    arbitrage: Arbitrage

    # --- cards ---------------------------------------------------------------------------------

    def approve(
        self, proposal_id: str, fingerprint: str, shown_ns: int, actor: Actor, drawn: Drawn | None = None
    ) -> Outcome:
        """Release a card. ``shown_ns``: when the newest frame a console has seen was made; ``drawn``: what
        its screen said, for the record."""
        card = self._card(proposal_id, fingerprint, actor)
        if isinstance(card, Outcome):
            return card
        if actor.kind is ActorKind.CONSOLE and self.desk.approvals.lagging(shown_ns):
            return refused(f"{proposal_id}: the screen was more than 1 s behind; look again.")
        if card.state is ProposalState.BLOCKED:
            if card.plan is not None:
                card = self.arbitrage.judge(card)
            elif card.candidate.by_hand:
                card = self.manual.judge(card)
            else:
                card = self.desk.approvals.judge(card, judge(self.desk, card.candidate, card.id))
            if card.state is ProposalState.BLOCKED:
                first = card.verdict.denials[0]
                return refused(f"{proposal_id} is blocked: {first}. It clears with {first.clears}.")
        self._note(
            Kind.APPROVAL,
            card,
            f"{card.id} approved: {card.sentence}",
            actor,
            shown_ns=shown_ns,
            **decided(self.desk, card, drawn),
        )
        if card.candidate.by_hand:
            return self.manual.release(card, actor)
        return (self.trading if card.plan is None else self.arbitrage).release(card, actor)

    def veto(
        self, proposal_id: str, fingerprint: str, reason: str, actor: Actor, drawn: Drawn | None = None
    ) -> Outcome:
        """End a card, also one that moved as the key was pressed: no is no to either. Of one that was vetoed
        already, say why."""
        if not actor.may_operate:
            return VIEWER_REFUSED
        desk = self.desk
        if reason and desk.vetoes.explain(proposal_id, fingerprint, reason, actor.name):
            self._present(actor)
            return accepted(f"{proposal_id} was vetoed for: {reason}.")
        card = self._card(proposal_id, None, actor)
        if isinstance(card, Outcome):
            return card
        if card.candidate.by_hand:  # who takes back what was asked for judges no model
            self._note(Kind.COMMAND, card, f"veto {card.id} {reason}".rstrip(), actor)
        else:
            markets = {ticker: desk.state.markets[ticker].market for ticker in card.tickers}
            desk.vetoes.add(card, fingerprint, markets, reason, actor.name, decided(desk, card, drawn))
        desk.approvals.veto(card, reason)
        moved = "" if card.fingerprint == fingerprint else f"; it had become {card.sentence}"
        return accepted(f"{proposal_id} vetoed{moved}.")

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
        wanted = self._edited(card, price, quantity)
        if isinstance(wanted, str):
            return refused(f"{proposal_id}: {wanted}")
        self._note(Kind.COMMAND, card, f"edit {card.id}: {describe(wanted)}", actor)
        self.desk.approvals.edit(card, wanted, judge(self.desk, wanted, card.id))
        return accepted(f"{proposal_id} is {describe(wanted)} now; approve it again.")

    def preview(self, proposal_id: str, fingerprint: str, price: Price, quantity: Quantity) -> Proposal | str:
        """The card as an edit would leave it, with the gate's word on it, or why there can be no such edit.
        Changes nothing."""
        card = self.desk.approvals.proposals.get(proposal_id)
        if card is None or not card.standing or card.fingerprint != fingerprint:
            return f"{proposal_id[:20]} is not the card that was shown any more."
        wanted = self._edited(card, price, quantity)
        if isinstance(wanted, str):
            return wanted
        verdict = judge(self.desk, wanted, card.id)
        return msgspec.structs.replace(card, candidate=wanted, verdict=verdict)

    def _edited(self, card: Proposal, price: Price, quantity: Quantity) -> Candidate | str:
        market = self.desk.state.markets[card.candidate.ticker].market
        wanted = self.desk.approvals.edited(card, market, price, quantity)
        return wanted if isinstance(wanted, str) else refreshed(self.desk, wanted)

    def _card(self, proposal_id: str, fingerprint: str | None, actor: Actor) -> Proposal | Outcome:
        """A card to decide on, as it was shown; without a ``fingerprint`` however it reads now."""
        if not actor.may_operate:
            return VIEWER_REFUSED
        if not self.desk.state.ready:
            return NOT_READY
        self._present(actor)
        self.desk.pricing.expire()
        approvals = self.desk.approvals
        found = (
            approvals.undecided(proposal_id)
            if fingerprint is None
            else approvals.find(proposal_id, fingerprint)
        )
        return refused(found) if isinstance(found, str) else found

    def _note(self, kind: Kind, card: Proposal, text: str, actor: Actor, **values: object) -> None:
        self.desk.scribe.card(
            kind,
            text,
            card.id,
            actor=actor.name,
            ticker=card.candidate.ticker,
            plan=card.candidate.plan,
            fingerprint=card.fingerprint,
            **values,
        )

    # --- autonomy ------------------------------------------------------------------------------

    def pause(self, strategy: str, actor: Actor) -> Outcome:
        """Stop entries of one strategy, or of all with an empty name."""
        if not actor.may_operate:
            return VIEWER_REFUSED
        name = strategy or ALL_STRATEGIES
        if name not in (ALL_STRATEGIES, self.desk.rules.strategy, ARBITRAGE, MANUAL):
            known = f"{self.desk.rules.strategy!r}, {ARBITRAGE!r} and {MANUAL!r}"
            return refused(f"There is no strategy {name[:40]!r}; there are {known}.")
        self._set_pause(name, paused=True, by=actor.name)
        return accepted(f"Entries of {'all strategies' if name == ALL_STRATEGIES else name} are paused.")

    def unpause(self, strategy: str, confirm: str, actor: Actor, reason: str = "") -> Outcome:
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
        self._set_pause(name, paused=False, by=actor.name, why=reason.strip())
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
            told = "Automatic: orders leave without a card, within every limit."
            return accepted(f"{told} {self._unproven()}".rstrip())
        return accepted("Semi-automatic: every order waits for you.")

    def _unproven(self) -> str:
        """Whose cards go on waiting for a person, with the first one's reason."""
        fairs = [market.fair for market in self.desk.state.markets.values() if market.fair is not None]
        doubted = {fair.event_ticker: fair.doubt for fair in fairs if fair.doubt}
        if not doubted:
            return ""
        event, why = next(iter(doubted.items()))
        more = f" and {len(doubted) - 1} other events" if len(doubted) > 1 else ""
        return f"Cards of {self.desk.state.events[event].label}{more} still wait for you: {why}."

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
        for seat in self.desk.seats.values():
            if not seat.ready:
                continue  # nothing is sent to an account that has never been read
            whose = self.desk.seats.named(seat, "venue's")
            if seat.groups.missing:
                return f"Not while the {whose} safety groups are not armed: {seat.groups.missing}."
            if seat.link.state is not LinkState.OK:
                return f"Not while the {whose} stream is {seat.link.state.value}."
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
        count = self.desk.seats.cancel(entries, "disarmed")
        text = f"disarmed {reason}".rstrip()
        self.desk.scribe.desk(Kind.ARM, text, actor=actor.name, armed=False)
        self._set_armed(False)
        return accepted(f"Disarmed. Cancels of entries sent: {count}. Exits, halt and flatten still work.")

    def _set_armed(self, armed: bool) -> None:
        self.desk.state.armed = armed
        self.desk.state.touch_status()
        self.trading.mark_all()

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
        for seat in self.desk.seats.values():
            seat.groups.follow_limits()
        state.touch_status()
        self.trading.mark_all()
        return accepted(f"{name} is {value} now.")

    # --- presence ------------------------------------------------------------------------------

    def controller_attached(self, actor: Actor) -> None:
        """This console now holds control."""
        state = self.desk.state
        before = f" from {state.controller}" if state.controller else ""
        state.controller, state.controller_session = actor.name, actor.session
        state.touch_status()
        self._command(f"takes control{before}", actor)
        self.desk.supervision.seen()

    def controller_gone(self) -> None:
        """No console holds control any more: the grace begins, and whoever attaches next has control."""
        state = self.desk.state
        if state.controller:
            self.desk.scribe.desk(Kind.COMMAND, "is gone: no console has control", actor=state.controller)
        state.controller = state.controller_session = ""
        state.touch_status()
        self.desk.supervision.seen()

    def viewers(self, count: int) -> None:
        """How many consoles are attached without control."""
        if self.desk.state.viewers != count:
            self.desk.state.viewers = count
            self.desk.state.touch_status()

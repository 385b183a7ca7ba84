"""Cards: what the strategy wants, or a person asks for, and a person decides on; each approved at most once.

A card is approved by its fingerprint, lives sixty seconds of real time and never longer than the data
under it is fresh, and is checked again when it is released. What changes on it changes its
fingerprint and shows what was there before; what merely surrounds it (edge, book, ages) does not.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from core.domain.clock import Clocks
from core.domain.market import Market
from core.domain.order import Purpose
from core.domain.units import ONE_DOLLAR, Money, Price, Quantity, complement
from core.execution.proposals import Proposal, ProposalState, mark
from core.risk.gate import Verdict
from core.strategy.plan import Plan
from core.strategy.proposal import Candidate

TTL_MS = 60_000
VIEW_LAG_MAX_NS = 1_000_000_000
CARDS_MAX = 12
"""Open cards at once; what is beyond waits and is counted."""
ENDED_KEPT_NS = 5_000_000_000
"""How long an ended card stays readable with its last word."""
MOVE_PAUSE_NS = 1_000_000_000
"""A card changes its price or size at most this often, so that it can be read."""
SHRINK_SHARE = 10
"""A wanted size this many percent under the card's changes the card; smaller wobble does not."""
LOT = Quantity(10_000)


COOL_DOWN_MS = {
    ProposalState.VETOED: 300_000,
    ProposalState.EXPIRED: 15_000,
    ProposalState.SENT: 5_000,
    ProposalState.WITHDRAWN: 3_000,
}
"""How long a market's next card for the same side and purpose waits after one ended this way."""


Judge = Callable[[Candidate], Verdict]

Note = Callable[[str, Proposal, str], None]
"""Journals what became of a card: kind, card, sentence."""


class Approvals:
    """The queue. ``proposals`` holds standing cards and, for a few seconds, ended ones."""

    def __init__(
        self,
        *,
        clocks: Clocks,
        note: Note,
        large: Callable[[Candidate, Plan | None], bool],
        first_number: int,
    ) -> None:
        self._clocks = clocks
        self._note = note
        self._large = large
        self._next = first_number
        self._quiet_until_ms: dict[tuple[str, str, str, str], int] = {}
        self.proposals: dict[str, Proposal] = {}
        self.overflow: dict[str, Candidate] = {}
        """What found no room in the queue when its market was looked at last, by ticker."""
        self.changed: Callable[[str], None] = lambda _id: None

    # --- reading -------------------------------------------------------------------------------

    def queue(self) -> list[Proposal]:
        """Standing cards: what a person asked for, risk reductions, then by edge times size, soonest expiry
        among equals."""
        return sorted((p for p in self.proposals.values() if p.standing), key=_rank)

    def of(self, ticker: str) -> Proposal | None:
        """The standing card of what the strategy wants of a market alone; there is at most one."""
        own = (p for p in self.standing_in(ticker) if p.plan is None)
        return next((p for p in own if not p.candidate.by_hand), None)

    def asked(self, ticker: str) -> Proposal | None:
        """The standing card of what a person asked for in a market; there is at most one."""
        return next((p for p in self.standing_in(ticker) if p.candidate.by_hand), None)

    def standing_in(self, ticker: str) -> list[Proposal]:
        """The standing cards that would trade in a market, plans included."""
        return [p for p in self.proposals.values() if p.standing and ticker in p.tickers]

    def quiet(self, candidate: Candidate) -> bool:
        """Whether a card like this ended too recently to come back."""
        return not candidate.by_hand and self._clocks.wall_ms() < self._quiet_until_ms.get(
            _kind(candidate), 0
        )

    # --- the strategy's side -------------------------------------------------------------------

    def offer(
        self, candidate: Candidate, verdict: Verdict, fresh_until_ms: int, plan: Plan | None = None
    ) -> Proposal | None:
        """Make a card; ``None`` when one like it just ended or the queue is full. ``candidate`` is the first
        leg of a plan. What a person asks for again takes the place of what was asked for there before.
        """
        now_ms, now_ns = self._clocks.wall_ms(), self._clocks.mono_ns()
        by_hand = candidate.by_hand
        if self.quiet(candidate) or fresh_until_ms <= now_ms:
            return None
        known = (self.asked if by_hand else self.of)(candidate.ticker) if plan is None else None
        alike = sum(p.standing and p.candidate.by_hand is by_hand for p in self.proposals.values())
        exempt = known is not None if by_hand else candidate.reduces_risk
        if alike >= CARDS_MAX and not exempt:
            if not by_hand:
                self.overflow[candidate.ticker] = candidate
            return None
        if known is not None:
            why = "asked for anew" if by_hand else "superseded by an exit of this market"
            self._end(known, ProposalState.WITHDRAWN, why)
        expires_ms = min(now_ms + TTL_MS, fresh_until_ms)
        number = f"P{self._next}"
        self._next += 1
        made = Proposal(
            id=number,
            fingerprint=mark(number, candidate, plan, expires_ms),
            candidate=candidate,
            state=ProposalState.OPEN if verdict.passed else ProposalState.BLOCKED,
            verdict=verdict,
            created_ns=now_ns,
            changed_ns=now_ns,
            expires_ms=expires_ms,
            expires_ns=now_ns + (expires_ms - now_ms) * 1_000_000,
            large=self._large(candidate, plan),
            plan=plan,
        )
        self._put(made)
        self._note("PROPOSED", made, made.sentence)
        return made

    def update(self, known: Proposal, candidate: Candidate, judge: Judge) -> Proposal:
        """The strategy's newest view of a standing card: figures at once, price and size when they must."""
        held = known.candidate
        if known.edited or not _moves(held, candidate):
            figures = msgspec.structs.replace(
                candidate, price=held.price, quantity=held.quantity, fee=held.fee, sizing=held.sizing
            )
            return self._state(msgspec.structs.replace(known, candidate=figures), judge(figures))
        if self._clocks.mono_ns() - known.changed_ns < MOVE_PAUSE_NS:
            return known
        return self.move(known, candidate, judge(candidate))

    def move(
        self, known: Proposal, candidate: Candidate, verdict: Verdict, plan: Plan | None = None
    ) -> Proposal:
        """Another price or size: a new fingerprint with the old values beside the new."""
        moved = msgspec.structs.replace(
            known,
            candidate=candidate,
            plan=plan,
            fingerprint=mark(known.id, candidate, plan, known.expires_ms),
            state=ProposalState.MOVED,
            changed_ns=self._clocks.mono_ns(),
            was=known.figures,
            large=self._large(candidate, plan),
        )
        self._note("MOVED", moved, f"{known.sentence} -> {moved.sentence}")
        return self._state(moved, verdict)

    def replan(self, known: Proposal, held: Plan, plan: Plan, judge: Callable[[Plan], Verdict]) -> Proposal:
        """The newest view of a plan that still stands: other terms or clearly fewer sets change the card.

        ``held`` is its own plan at the fees of now: figures change at once.
        """
        fewer = plan.sets * 100 < held.sets * (100 - SHRINK_SHARE)
        if plan.terms == held.terms and not fewer:
            return self._state(msgspec.structs.replace(known, plan=held, candidate=held.legs[0]), judge(held))
        if self._clocks.mono_ns() - known.changed_ns < MOVE_PAUSE_NS:
            return known
        return self.move(known, plan.legs[0], judge(plan), plan)

    def judge(self, known: Proposal, verdict: Verdict) -> Proposal:
        """The gate's newest word on a card nothing else changed on; one that has ended stays as it is."""
        now = self.proposals[known.id]
        return self._state(known, verdict) if now.standing else now

    def withdraw(self, known: Proposal, why: str) -> None:
        """One that has ended meanwhile keeps the word it ended with."""
        if self.proposals[known.id].standing:
            self._end(known, ProposalState.WITHDRAWN, why)

    def withdraw_all(self, why: str, *, entries_only: bool = False) -> None:
        for known in self.queue():
            if not (entries_only and known.candidate.reduces_risk):
                self._end(known, ProposalState.WITHDRAWN, why)

    def tick(self) -> None:
        """Expire cards whose time is over and forget ended ones that were shown long enough."""
        now_ms, now_ns = self._clocks.wall_ms(), self._clocks.mono_ns()
        for known in list(self.proposals.values()):
            if known.standing and now_ms >= known.expires_ms:
                self._end(known, ProposalState.EXPIRED, "nobody decided in time")
            elif known.ended_ns is not None and now_ns - known.ended_ns > ENDED_KEPT_NS:
                del self.proposals[known.id]
                self.changed(known.id)
        self._quiet_until_ms = {k: at for k, at in self._quiet_until_ms.items() if at > now_ms}

    # --- the operator's side -------------------------------------------------------------------

    def undecided(self, proposal_id: str) -> Proposal | str:
        """A card that stands, however it reads now, or the sentence why it cannot be decided on."""
        known = self.proposals.get(proposal_id)
        if known is None:
            return f"{proposal_id}: there is no such proposal; it has ended."
        if not known.standing:
            return f"{proposal_id} is {known.state.value}: {known.word}."
        if self._clocks.wall_ms() >= known.expires_ms:
            self._end(known, ProposalState.EXPIRED, "nobody decided in time")
            return f"{proposal_id} has expired."
        return known

    def find(self, proposal_id: str, shown_fingerprint: str) -> Proposal | str:
        """The same, only while it reads as the operator saw it."""
        known = self.undecided(proposal_id)
        if isinstance(known, str) or known.fingerprint == shown_fingerprint:
            return known
        return f"{proposal_id} has changed since it was shown: {known.sentence} now."

    def lagging(self, shown_ns: int) -> bool:
        """Whether a console's newest frame is too old to decide on."""
        return self._clocks.mono_ns() - shown_ns > VIEW_LAG_MAX_NS

    def sent(self, known: Proposal, word: str) -> None:
        """Released: this approval is used up whatever becomes of the order."""
        self._end(known, ProposalState.SENT, word)

    def veto(self, known: Proposal, reason: str) -> None:
        self._end(known, ProposalState.VETOED, reason or "vetoed")

    def defer(self, known: Proposal) -> None:
        """To the end of the queue; its time goes on."""
        self._put(msgspec.structs.replace(known, state=ProposalState.DEFERRED))
        self._note("DEFERRED", known, known.sentence)

    def edited(self, known: Proposal, market: Market, price: Price, quantity: Quantity) -> Candidate | str:
        """The candidate with the operator's price (of the outcome) and size, or why it may not be."""
        if known.plan is not None:
            return "A plan is taken or left as it is."
        held = known.candidate
        better = price <= held.outcome_price if held.purpose is Purpose.OPEN else price >= held.outcome_price
        if not 0 < quantity <= held.quantity or quantity % LOT:
            return "An edit may only make the order smaller."
        if not 0 < price < ONE_DOLLAR or not better:
            return "An edit may only make the price better for us."
        yes_price = price if held.outcome_price == held.price else complement(price)
        if not market.grid.valid(yes_price):
            return "That price is not on the market's grid."
        fee = Money(-(-held.fee * quantity // held.quantity))
        return msgspec.structs.replace(held, price=yes_price, quantity=quantity, fee=fee)

    def edit(self, known: Proposal, candidate: Candidate, verdict: Verdict) -> Proposal:
        return self.move(msgspec.structs.replace(known, edited=True), candidate, verdict)

    # --- common --------------------------------------------------------------------------------

    def _state(self, card: Proposal, verdict: Verdict) -> Proposal:
        state = card.state
        if not verdict.passed:
            state = ProposalState.BLOCKED
        elif state is ProposalState.BLOCKED:
            state = ProposalState.MOVED if card.was is not None else ProposalState.OPEN
        now = msgspec.structs.replace(card, state=state, verdict=verdict)
        before = self.proposals[card.id]
        if now != before:
            self._put(now)
        if state is ProposalState.BLOCKED and before.state is not ProposalState.BLOCKED:
            self._note("BLOCKED", now, "; ".join(str(d) for d in verdict.denials))
        return now

    def _end(self, known: Proposal, state: ProposalState, word: str) -> None:
        ended = msgspec.structs.replace(known, state=state, word=word, ended_ns=self._clocks.mono_ns())
        self._put(ended)
        if not known.candidate.by_hand:  # a person may ask again at once, and silences no strategy
            until = self._clocks.wall_ms() + COOL_DOWN_MS[state]
            kind = _kind(known.candidate)
            self._quiet_until_ms[kind] = max(until, self._quiet_until_ms.get(kind, 0))
        self._note(state.value, ended, f"{known.sentence}: {word}")

    def _put(self, card: Proposal) -> None:
        self.proposals[card.id] = card
        self.changed(card.id)


def _kind(candidate: Candidate) -> tuple[str, str, str, str]:
    return candidate.ticker, candidate.side.value, candidate.purpose.value, candidate.plan


def _moves(held: Candidate, wanted: Candidate) -> bool:
    """Whether the card's own figures must change: another price or version, or clearly less wanted."""
    if (held.price, held.side, held.model_version) != (wanted.price, wanted.side, wanted.model_version):
        return True
    if held.by_hand:
        return wanted.quantity < held.quantity
    return wanted.quantity * 100 < held.quantity * (100 - SHRINK_SHARE)


def _rank(card: Proposal) -> tuple[bool, bool, bool, int, int]:
    c = card.candidate
    return (
        not c.by_hand,
        not c.reduces_risk,
        card.state is ProposalState.DEFERRED,
        -c.edge * c.quantity,
        card.expires_ms,
    )

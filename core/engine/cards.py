"""The cards of markets: made, renewed and withdrawn as the strategy wants, and released."""

from __future__ import annotations

import msgspec

from core.domain.order import BookSide
from core.engine.desk import Desk
from core.engine.facts import flickers, no_price
from core.engine.judging import judge, moved, needs_person, refreshed
from core.engine.operator import ENGINE, Actor, Outcome, accepted, refused
from core.engine.plans import part_of
from core.engine.state import MarketState, Mode
from core.execution.gateway import Denied, Wish
from core.execution.proposals import Proposal, ProposalState, describe
from core.feeds.declaration import Family
from core.feeds.feed import FeedState
from core.journal.events import Kind
from core.models.fair_value import FairValue
from core.strategy.entries import lapsed
from core.strategy.proposal import Candidate
from core.strategy.rules import MarketView

ANSWERS_NS = 5_000_000_000
"""So long after the desk first looks at its markets the sources of weather may take to answer at all."""
_ANSWERING = (FeedState.WAITING, FeedState.OK)


class Cards:
    """One card a market at most, of its own order."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._began_ns: int | None = None
        """When a market was first looked at."""

    def follow(self, market: MarketState, view: MarketView, wanted: Candidate | None) -> bool:
        """Let a market's card be what the strategy wants there now; whether that has to be asked again though
        nothing changes."""
        desk = self._desk
        if self._began_ns is None:
            self._began_ns = desk.clocks.mono_ns()
        card = desk.approvals.of(market.market.ticker)
        if card is not None and (wanted is None or not _continues(card, wanted)):
            why = self._not_wanted(card, market, view, wanted)
            if why:
                desk.approvals.withdraw(card, why)
                card = None
        if card is not None:
            self._renew(card, wanted if wanted is not None and _continues(card, wanted) else None)
            self._leave(desk.approvals.proposals[card.id])
        elif wanted is None:
            market.why_not = market.why_not or "no size left to add"
        elif not desk.approvals.quiet(wanted):
            return self._propose(market, wanted)
        return False

    def _not_wanted(
        self, card: Proposal, market: MarketState, view: MarketView, wanted: Candidate | None
    ) -> str:
        """Why a card that the strategy does not repeat has to go; empty while it may still hold."""
        if wanted is not None:
            return f"replaced by {describe(wanted)}"
        if view.stale or flickers(self._desk, market):
            return ""  # what it lacks denies its release, and clears by itself
        if card.candidate.reduces_risk:
            return "the exit is no longer wanted"
        if planned := part_of(self._desk, market.market.ticker):
            return planned
        if market.fair is None:
            return no_price(self._desk, market.market.ticker)
        held = card.candidate
        touch = view.book.best_bid if held.side is BookSide.BID else view.book.best_ask
        if held.post_only and touch is not None and (touch - held.price) * held.side.sign > 0:
            return "the book moved away from its price"
        return lapsed(market.fair, view, held, self._desk.rules, self._desk.clocks.world_ms())

    def _renew(self, card: Proposal, wanted: Candidate | None) -> None:
        desk, held = self._desk, card.candidate
        now = held if wanted is None else wanted
        if card.edited:  # what is told of it is told of the operator's price and size
            now = msgspec.structs.replace(now, price=held.price, quantity=held.quantity)
        fresh = refreshed(desk, now) if card.edited or wanted is None else now
        if isinstance(fresh, str):  # its figures stay, and are judged as everything else stands now
            desk.approvals.judge(card, judge(desk, card.candidate, card.id))
        else:
            desk.approvals.update(card, fresh, lambda candidate: judge(desk, candidate, card.id))

    def _propose(self, market: MarketState, wanted: Candidate) -> bool:
        """Make a card; true where it waits for a fair value that still moves, or soon will."""
        desk = self._desk
        if not wanted.reduces_risk and self.unanswered(market):
            market.why_not = "not all of its sources have answered yet"
            return True
        if not wanted.reduces_risk and desk.pricing.moving(wanted.event_ticker):
            market.why_not = "its fair value is still moving"
            return True
        verdict = judge(desk, wanted)
        if not verdict.passed:
            market.why_not = str(verdict.denials[0])
            if not wanted.reduces_risk:
                return False
        card = desk.approvals.offer(wanted, verdict, self._fresh_until_ms(market.fair))
        if card is not None:
            self._leave(card)
        return False

    def unanswered(self, market: MarketState) -> bool:
        """Whether its price rests on the first of several sources to answer after a start."""
        if market.market.station is None:
            return False
        began_ns, feeds = self._began_ns, self._desk.state.feeds.values()
        if began_ns is None or self._desk.clocks.mono_ns() - began_ns >= ANSWERS_NS:
            return False
        weather = (one for one in feeds if one.family == Family.WEATHER.value)
        return not feeds or any(one.missing and one.state in _ANSWERING for one in weather)

    def _leave(self, card: Proposal) -> None:
        """Release a card nobody needs to press: in automatic mode, and exits where so configured."""
        desk, candidate = self._desk, card.candidate
        unasked = candidate.reduces_risk and desk.settings.engine.exits_without_approval
        ready = card.state in (ProposalState.OPEN, ProposalState.MOVED)
        alone = (unasked or desk.state.mode is Mode.AUTO) and not needs_person(desk, candidate)
        if ready and alone and moved(desk, candidate) is None:
            text = f"{card.id} released by the engine: {describe(candidate)}"
            desk.scribe.card(Kind.APPROVAL, text, card.id, ticker=card.candidate.ticker)
            self.send(card, ENGINE)

    def _fresh_until_ms(self, fair: FairValue | None) -> int:
        """Real time at which the first input under a fair value grows too old; far off without one."""
        clocks = self._desk.clocks
        if fair is None:
            return clocks.wall_ms() + 3_600_000
        return clocks.world.real_at(fair.fresh_until_ms)

    def send(self, card: Proposal, actor: Actor) -> Outcome:
        """Send a card's order: fresh figures, fresh gate."""
        desk, candidate = self._desk, card.candidate
        sent = desk.seat(candidate.ticker).gateway.send(
            Wish(
                candidate,
                card.id,
                card.fingerprint,
                valid_until_ms=card.expires_ms,
                automatic=actor == ENGINE,
            )
        )
        if isinstance(sent, Denied):
            desk.scribe.card(
                Kind.DENIED,
                sent.reason,
                card.id,
                actor=actor.name,
                ticker=candidate.ticker,
                fingerprint=card.fingerprint,
                gate=sent.gate,
            )
            if actor == ENGINE:
                desk.approvals.withdraw(card, sent.reason)
            else:
                self._renew(card, None)
            return refused(f"{card.id} was not sent: {sent.reason}.")
        tail = sent.intent.client_order_id[-4:]
        desk.approvals.sent(card, f"order {tail}")
        return accepted(f"{card.id} sent: {describe(candidate)}, order {tail}.")


def _continues(card: Proposal, wanted: Candidate) -> bool:
    """Whether the strategy still wants the same trade, whatever its price and size."""
    held = card.candidate
    return (held.purpose, held.side) == (wanted.purpose, wanted.side)

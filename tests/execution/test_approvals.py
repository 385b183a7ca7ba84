"""A card's life by the clock alone, without an engine that looks at it in time."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from core.domain.clock import REAL_WORLD, Clocks
from core.domain.units import Quantity
from core.execution.approvals import CARDS_MAX, TTL_MS, Approvals
from core.execution.proposals import Proposal, ProposalState
from core.risk.gate import Verdict
from core.strategy.proposal import MANUAL
from tests.risk.desk import CLOSE, OPEN


@dataclass
class Stopped:
    """A clock that a test moves."""

    now_ms: int = 1_795_377_600_000

    def wall_ms(self) -> int:
        return self.now_ms

    def mono_ns(self) -> int:
        return self.now_ms * 1_000_000


def queue(clock: Stopped) -> Approvals:
    return Approvals(
        clocks=Clocks(clock, REAL_WORLD),
        note=lambda kind, card, text: None,
        large=lambda candidate, plan: False,
        first_number=1,
    )


def test_a_card_cannot_be_decided_on_from_the_millisecond_it_ends() -> None:
    clock = Stopped()
    approvals = queue(clock)
    card = approvals.offer(OPEN, Verdict(), clock.now_ms + 2 * TTL_MS)
    assert card is not None and card.expires_ms == clock.now_ms + TTL_MS
    clock.now_ms = card.expires_ms - 1
    assert isinstance(approvals.find(card.id, card.fingerprint), Proposal)
    clock.now_ms = card.expires_ms
    assert approvals.find(card.id, card.fingerprint) == f"{card.id} has expired."
    assert approvals.proposals[card.id].state is ProposalState.EXPIRED


def test_what_was_asked_for_finds_room_beside_the_strategys_cards_but_not_without_end() -> None:
    clock = Stopped()
    approvals, until = queue(clock), clock.now_ms + 2 * TTL_MS

    def of(number: int, strategy: str) -> Proposal | None:
        order = msgspec.structs.replace(OPEN, ticker=f"T{number}", strategy=strategy)
        return approvals.offer(order, Verdict(), until)

    assert all(of(number, "weather") for number in range(CARDS_MAX))
    assert of(99, "weather") is None and set(approvals.overflow) == {"T99"}
    asked = [of(number, MANUAL) for number in range(CARDS_MAX)]
    assert all(asked) and [card.id for card in approvals.queue()[:CARDS_MAX]] == [c.id for c in asked if c]
    assert of(98, MANUAL) is None and set(approvals.overflow) == {"T99"}, "nothing asked for waits unseen"
    assert of(0, MANUAL) is not None, "asked anew it takes the place of what was asked before"
    own = approvals.of("T0")
    assert own is not None and own.standing and own.candidate.strategy == "weather"
    asked_card = approvals.asked("T1")
    assert asked_card is not None
    approvals.veto(asked_card, "")
    assert of(1, MANUAL) is not None


def test_taking_a_wish_back_silences_nobody_and_a_sale_asked_for_shrinks_with_what_is_free() -> None:
    clock = Stopped()
    approvals, until = queue(clock), clock.now_ms + 2 * TTL_MS
    wish = msgspec.structs.replace(CLOSE, strategy=MANUAL)
    card = approvals.offer(wish, Verdict(), until)
    assert card is not None
    clock.now_ms += 1_000
    less = msgspec.structs.replace(wish, quantity=Quantity(wish.quantity - 10_000))
    after = approvals.update(card, less, lambda candidate: Verdict())
    assert after.candidate.quantity == less.quantity and after.state is ProposalState.MOVED
    more = approvals.update(after, wish, lambda candidate: Verdict())
    assert more.candidate.quantity == less.quantity, "it never grows by itself"
    approvals.veto(more, "")
    assert approvals.offer(msgspec.structs.replace(CLOSE, strategy="weather"), Verdict(), until) is not None


def test_an_approval_is_used_up_and_its_like_stays_quiet_for_a_while() -> None:
    clock = Stopped()
    approvals = queue(clock)
    card = approvals.offer(OPEN, Verdict(), clock.now_ms + 2 * TTL_MS)
    assert card is not None
    approvals.sent(card, "order abcd")
    assert "SENT" in str(approvals.find(card.id, card.fingerprint))
    assert approvals.offer(OPEN, Verdict(), clock.now_ms + 2 * TTL_MS) is None
    clock.now_ms += 5_000
    again = approvals.offer(OPEN, Verdict(), clock.now_ms + 2 * TTL_MS)
    assert again is not None and again.id != card.id and again.fingerprint != card.fingerprint

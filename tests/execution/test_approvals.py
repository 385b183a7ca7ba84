"""A card's life by the clock alone, without an engine that looks at it in time."""

from __future__ import annotations

from dataclasses import dataclass

from core.domain.clock import REAL_WORLD, Clocks
from core.execution.approvals import TTL_MS, Approvals
from core.execution.proposals import Proposal, ProposalState
from core.risk.gate import Verdict
from tests.risk.desk import OPEN


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

"""What the keys of a card do to the queue, without a console around them."""

from __future__ import annotations

import msgspec

from core.control.protocol import AnyCommand, Approve, Defer, Frame
from core.control.tables.cards import ProposalRow
from tests.tui import rows
from tui import commands
from tui.operator import Operator
from tui.scene import Scene
from tui.tables import Now
from tui.view_model import ViewModel

NOW = Now(1_000 * rows.S, 1_700_000_000_000)
MS = 1_000_000


class Hands:
    """An operator whose commands are kept, and the engine's frames by hand."""

    def __init__(self, *cards: ProposalRow) -> None:
        self.sent: list[AnyCommand] = []
        self.now = NOW
        self.view = ViewModel()
        self.view.connected = True
        self.view.apply(rows.snapshot(NOW, "me", cards=False), NOW)
        self.operator = Operator(self.view, "me", self._send, coach=False)
        self.operator.arming.drawn(whole=True, now_ns=NOW.mono_ns)
        self.frame(*cards)

    def _send(self, command: AnyCommand) -> bool:
        self.sent.append(command)
        return True

    def frame(self, *cards: ProposalRow) -> Scene:
        """The cards change; what the next paint would show."""
        self.view.apply(Frame(2, self.now.mono_ns, proposals=cards), self.now)
        return self.scene()

    def later(self, ms: int) -> Scene:
        """Time passes, and the engine keeps talking."""
        self.now = Now(self.now.mono_ns + ms * MS, self.now.wall_ms + ms)
        return self.frame()

    def scene(self) -> Scene:
        return self.operator.scene(self.now, 160)

    def state(self, card: ProposalRow, word: str) -> Scene:
        return self.frame(msgspec.structs.replace(card, state=word))

    def press(self, key: str) -> None:
        self.operator.approve(key, self.now.mono_ns, self.now)


FIRST, SECOND = rows.card(NOW), rows.second_card(NOW)


def test_deferring_goes_on_to_the_next_card_and_what_was_put_off_can_be_taken_up_and_approved() -> None:
    hands = Hands(FIRST, SECOND)
    hands.later(500)
    hands.operator.defer(hands.now)
    assert isinstance(hands.sent[-1], Defer) and hands.scene().card == SECOND
    assert hands.state(FIRST, "DEFERRED").card == SECOND
    assert hands.scene().card_word == "ARMING", "the next card is read before it is approved"
    hands.operator.step_card(1, hands.now)
    assert hands.scene().card_word == "ARMING"
    scene = hands.later(500)
    assert scene.card is not None and (scene.card.id, scene.card_word) == (FIRST.id, "ARMED")
    hands.press("a")
    approved = hands.sent[-1]
    assert isinstance(approved, Approve) and approved.proposal_id == FIRST.id


def test_a_card_put_off_alone_gives_way_to_the_next_that_comes_unless_it_was_taken_up_again() -> None:
    hands = Hands(FIRST)
    hands.operator.defer(hands.now)
    assert hands.state(FIRST, "DEFERRED").card is not None
    assert hands.frame(SECOND).card == SECOND
    hands.operator.step_card(1, hands.now)
    third = rows.second_card(NOW, id="99AA", fingerprint="fp-3", key=41)
    scene = hands.frame(third)
    assert scene.card is not None and scene.card.id == FIRST.id, "a new card never takes the selection"


def test_a_typed_line_never_spends_it_selects() -> None:
    hands = Hands(FIRST, SECOND)
    hands.later(500)
    for text in ("approve", "approve nonsense", f"approve {SECOND.id}-{SECOND.fingerprint}"):
        parsed = commands.parse(text)
        assert not isinstance(parsed, str)
        talk = commands.talk(parsed, hands.operator, lambda: hands.now)
        assert talk is not None and next(talk, None) is None
    assert hands.sent == []
    assert hands.operator.card == SECOND
    hands.press("a")
    assert hands.sent == [], "what a line selected arms like any other"

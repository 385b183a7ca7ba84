"""What the keys of a card do to the queue, without a console around them."""

from __future__ import annotations

import msgspec
import pytest

from core.control.protocol import AnyCommand, Approve, Defer, Frame, Query, Reply, Veto
from core.control.tables.cards import ProposalRow
from tests.tui import rows
from tui import commands
from tui.edit_talk import edit
from tui.lines import plain
from tui.operator import Operator
from tui.scene import Scene
from tui.tables import Now
from tui.talks import Question
from tui.veto import ASK_NS, REASONS
from tui.view_model import ViewModel
from tui.widgets.card_state import keys_line
from tui.widgets.key_hints import hint_line

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

    def veto(self) -> None:
        self.operator.veto_by_key("x", self.now.mono_ns, self.now)

    def reason(self, key: str) -> bool:
        return self.operator.reason_by_key(key, self.now.mono_ns, self.now)

    def vetoes(self) -> list[tuple[str, str]]:
        return [(c.proposal_id, c.reason) for c in self.sent if isinstance(c, Veto)]


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


# --- veto -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("key", "reason"), [*REASONS.items()])
def test_a_veto_leaves_at_once_and_its_reason_follows_by_one_key(key: str, reason: str) -> None:
    hands = Hands(FIRST, SECOND)
    hands.veto()
    assert hands.vetoes() == [(FIRST.id, "")]
    assert hands.state(FIRST, "VETOED").card == SECOND and hands.scene().asks_reason == FIRST.id
    hands.later(3_000)
    assert hands.reason(key)
    assert hands.vetoes() == [(FIRST.id, ""), (FIRST.id, reason)] and not hands.scene().asks_reason
    hands.later(500)
    assert hands.reason(key), "a held key belongs to the question still"
    hands.later(900)
    assert not hands.reason(key) and len(hands.sent) == 2


def test_escape_tells_no_reason_another_key_means_what_it_always_does_and_silence_ends_the_question() -> None:
    hands = Hands(FIRST)
    hands.veto()
    assert hands.reason("escape") and hands.vetoes() == [(FIRST.id, "")]
    hands.later(1_000)
    hands.veto()
    assert not hands.reason("a") and not hands.reason("p"), "it is closed"
    hands.later(1_000)
    hands.veto()
    hands.later(ASK_NS // MS)
    assert not hands.scene().asks_reason and not hands.reason("p")


def test_a_held_veto_key_says_no_to_one_card() -> None:
    hands = Hands(FIRST, SECOND)
    hands.veto()
    hands.state(FIRST, "VETOED")
    for _ in range(10):
        hands.later(100)
        hands.veto()
    assert hands.vetoes() == [(FIRST.id, "")]


def test_a_veto_that_was_refused_asks_for_no_reason_and_a_console_that_views_never_does() -> None:
    hands = Hands(FIRST)
    hands.veto()
    hands.operator.replied(Reply(hands.sent[-1].id, False, "it has changed"), hands.now)
    assert not hands.scene().asks_reason
    hands.view.apply(Frame(3, NOW.mono_ns, status=rows.status(NOW, session="another")), NOW)
    hands.later(1_000)
    hands.veto()
    assert not hands.scene().asks_reason


def test_a_decision_tells_what_the_last_picture_showed_and_how_long_it_stood() -> None:
    hands = Hands(FIRST)
    hands.later(700)
    newer = msgspec.structs.replace(FIRST, bid=3_000, ask=3_300, edge=610, fair=3_910)
    hands.view.apply(Frame(3, hands.now.mono_ns, proposals=(newer,)), hands.now)
    hands.press("a")
    hands.veto()
    for command in hands.sent:
        assert isinstance(command, Approve | Veto)
        drawn = command.drawn
        assert drawn is not None
        assert (drawn.bid, drawn.ask, drawn.fair, drawn.edge) == (3_100, 3_400, 3_820, 580)
        assert (drawn.key_ns - drawn.since_ns) == 700 * MS


@pytest.mark.parametrize("width", [80, 120])
def test_the_question_for_the_reason_stands_whole_in_place_of_the_hints(width: int) -> None:
    scene = Scene(ViewModel(), NOW, width, asks_reason="P1234")
    shown = plain(hint_line(scene, "desk", more=False))
    assert len(shown) == width and shown.endswith("^X STOP ")
    assert "P1234: why not?  p price  d data  n news  s size  o other  Esc none" in shown


def test_on_a_console_that_looks_on_a_card_names_only_the_keys_that_look() -> None:
    hands = Hands(FIRST, SECOND)
    assert keys_of(hands.scene()).startswith("a approve  x veto")
    hands.view.apply(Frame(3, NOW.mono_ns, status=rows.status(NOW, session="another")), NOW)
    assert keys_of(hands.scene()) == "v why"


def keys_of(scene: Scene) -> str:
    assert scene.card is not None
    return plain(keys_line(scene, scene.card, 240)).strip()


# --- edit -----------------------------------------------------------------------------------------------


def asked(hands: Hands, card: ProposalRow) -> Question:
    question = next(edit(hands.operator, lambda: hands.now, card))
    assert isinstance(question, Question)
    return question


def test_keys_halve_the_size_and_move_the_price_by_its_tick_never_to_the_worse() -> None:
    keys = asked(Hands(FIRST), FIRST).keys
    assert keys["h"]("") == "20 @ 32" and keys["h"]("20 @ 31") == "10 @ 31" and keys["h"]("3") == "1 @ 32"
    assert keys["h"]("1") == "0.50 @ 32" and keys["h"]("0.01") == "0.01 @ 32"
    assert keys["down"]("") == "40 @ 31" and keys["down"]("20 @ 30") == "20 @ 29"
    assert keys["up"]("") == "40 @ 32", "an edit may not pay more"
    assert keys["up"]("@ 30") == "40 @ 31" and keys["down"]("@ 1") == "40 @ 1"
    leaving = rows.card(NOW, closes=True)
    keys = asked(Hands(leaving), leaving).keys
    assert keys["up"]("") == "40 @ 33" and keys["down"]("@ 33") == "40 @ 32" == keys["down"]("")


def test_the_tick_is_the_one_of_the_market_at_that_price_for_either_outcome() -> None:
    view = Hands(FIRST).view
    fine = msgspec.structs.replace(
        view.statics[2], bands=((0, 1_000, 10), (1_000, 9_000, 100), (9_000, 10_000, 10))
    )
    view.apply(Frame(5, NOW.mono_ns, statics=(fine,)), NOW)
    for outcome in ("YES", "NO"):
        moved = [view.ticked(2, outcome, price, up=up) for price in (1_000, 9_000) for up in (False, True)]
        assert moved == [990, 1_100, 8_900, 9_010]
        assert (
            view.ticked(2, outcome, 10, up=False) == 10 and view.ticked(2, outcome, 9_990, up=True) == 9_990
        )


def test_what_is_typed_is_told_beforehand_with_the_engines_own_figures_or_refusal() -> None:
    hands = Hands(FIRST)
    tell = asked(hands, FIRST).tell
    assert tell("50") == "the size must be at most 40" and tell("x").startswith("write SIZE")
    assert tell("0") == tell("@ 0") == tell("20 @ 31.255") == tell("x")
    assert hands.sent == []
    assert tell("20 @ 31") == "20 @ 31c: ..." == tell("20 @ 31")
    (query,) = hands.sent
    assert isinstance(query, Query) and query.about == "4F2A fp-1 3100 20000000"
    figures = {"cost": "6.20", "fee": "0.08", "max_loss": "6.28", "edge": "0.068", "blocked": "G05 x\x1b[2J"}
    hands.operator.replied(Reply(query.id, True, "", msgspec.json.encode(figures)), hands.now)
    assert tell("20 @ 31") == "20 @ 31c: BLOCKED G05 x[2J  cost 6.20  fee 0.08  max loss 6.28  net edge +6.8c"
    tell("10 @ 31")
    older = hands.sent[-1]
    tell("5 @ 31")
    hands.operator.replied(Reply(older.id, True, "", msgspec.json.encode(figures)), hands.now)
    assert tell("5 @ 31") == "5 @ 31c: ...", "the answer was about another text"
    hands.operator.replied(Reply(hands.sent[-1].id, False, "it is not the card"), hands.now)
    assert tell("5 @ 31") == "5 @ 31c: it is not the card"
    asked_before = len(hands.sent)
    hands.later(1_000)
    tell("5 @ 31")
    assert len(hands.sent) == asked_before + 1, "a preview does not stay as the book goes on"


def test_what_was_sent_and_a_plan_open_no_line_to_edit_them_in_and_say_why() -> None:
    sent, plan = Hands(msgspec.structs.replace(FIRST, state="SENT")), rows.plan_card(NOW)
    pressed = Hands(FIRST)
    pressed.later(500)
    pressed.press("a")
    for hands, card, says in (
        (sent, sent.scene().card, "was sent"),
        (pressed, FIRST, "was sent"),
        (Hands(plan), plan, "taken or left as it is"),
    ):
        assert card is not None
        with pytest.raises(StopIteration) as end:
            next(edit(hands.operator, lambda hands=hands: hands.now, card))
        assert says in end.value.value


def test_what_was_typed_wrong_stays_in_the_field() -> None:
    hands = Hands(FIRST)
    talk = edit(hands.operator, lambda: hands.now, FIRST)
    next(talk)
    again = talk.send("50 @ 31")
    assert isinstance(again, Question) and again.value == "50 @ 31" and "at most 40" in again.prompt

"""Arming, the stop ladder, the command line's words, the coach, the registry."""

from __future__ import annotations

import msgspec
import pytest

from core.control.protocol import (
    Accept,
    Acknowledge,
    AcknowledgeAll,
    AnyCommand,
    Frame,
    Reconcile,
    Reenable,
    Resolve,
    Resume,
    SetLimit,
    SetMode,
    StopEngine,
    Unpause,
)
from tests.tui import rows
from tui import commands
from tui.actions import ACTIONS, COMMANDS, DECIDES, LADDER, Danger
from tui.arming import ARM_NS, Arming
from tui.cli import cli
from tui.coach import BEATS, TEXT_MAX, Coach
from tui.edit_talk import parse_edit
from tui.format import ELLIPSIS
from tui.keymap import USUAL
from tui.ladder import Ladder, Step
from tui.lines import plain
from tui.operator import Operator
from tui.screens.desk_plan import Needs, desk_plan, is_reduced, is_two_column
from tui.screens.help import help_lines
from tui.tables import Now
from tui.view_model import ViewModel

NOW = Now(1_000 * rows.S, 1_700_000_000_000)
MS = 1_000_000


def armed(card: object = None) -> Arming:
    arming = Arming()
    arming.select(rows.card(NOW), NOW.mono_ns)
    arming.drawn(whole=True, now_ns=NOW.mono_ns)
    return arming


# --- arming -----------------------------------------------------------------------------------------


def test_a_card_arms_400_ms_after_it_was_selected_unchanged() -> None:
    arming, card = armed(), rows.card(NOW)
    assert arming.word(card, NOW.mono_ns + 399 * MS, lag=False, controls=True) == "ARMING"
    assert arming.word(card, NOW.mono_ns + 400 * MS, lag=False, controls=True) == "ARMED"
    changed = rows.card(NOW, fingerprint="fp-9", state="MOVED")
    arming.select(changed, NOW.mono_ns + 500 * MS)
    assert arming.word(changed, NOW.mono_ns + 899 * MS, lag=False, controls=True) == "MOVED"
    assert arming.word(changed, NOW.mono_ns + 900 * MS, lag=False, controls=True) == "ARMED"


def test_a_key_from_before_arming_does_not_count_however_late_it_is_handled() -> None:
    arming, card = armed(), rows.card(NOW)
    late = NOW.mono_ns + 600 * MS
    assert arming.refusal(card, NOW.mono_ns + 100 * MS, late, lag=False, controls=True)
    assert not arming.refusal(card, NOW.mono_ns + ARM_NS, late, lag=False, controls=True)


@pytest.mark.parametrize(
    ("changes", "lag", "controls"),
    [
        ({"state": "BLOCKED"}, False, True),
        ({"state": "SENT"}, False, True),
        ({"expires_ns": NOW.mono_ns}, False, True),
        ({}, True, True),
        ({}, False, False),
    ],
)
def test_nothing_but_an_armed_card_can_be_approved(changes: dict, lag: bool, controls: bool) -> None:
    arming = armed()
    when = NOW.mono_ns + 900 * MS
    assert arming.refusal(rows.card(NOW, **changes), when, when, lag=lag, controls=controls)


def test_the_same_money_key_within_800_ms_is_a_held_key() -> None:
    arming = Arming()
    presses = [arming.press("a", t * MS) for t in (0, 500, 1000, 1799, 2600)]
    assert presses == [True, False, False, False, True]
    assert arming.press("y", 2601 * MS)


# --- stop ladder --------------------------------------------------------------------------------------


def test_escape_aborts_only_when_pressed_twice_within_two_seconds() -> None:
    ladder = Ladder()
    ladder.start(0)
    assert ladder.key("escape", 100 * MS) is Step.ASK
    assert ladder.key("escape", 2101 * MS) is Step.ASK
    assert ladder.key("escape", 4101 * MS) is Step.ABORT


def test_f_skips_only_after_a_pause_so_typing_on_sells_nothing() -> None:
    ladder = Ladder()
    ladder.start(0)
    typed = [ladder.key(key, (200 + 150 * i) * MS) for i, key in enumerate("afterfff")]
    assert set(typed) == {Step.SWALLOW}
    assert ladder.key("f", 2000 * MS + 150 * MS) is Step.SKIP


def test_other_keys_break_an_escape_and_ctrl_x_joins() -> None:
    ladder = Ladder()
    ladder.start(0)
    assert ladder.key("ctrl+x", 10 * MS) is Step.JOIN
    assert ladder.key("escape", 20 * MS) is Step.ASK
    assert ladder.key("q", 30 * MS) is Step.SWALLOW
    assert ladder.key("escape", 40 * MS) is Step.ASK


def test_exits_are_hurried_only_after_a_further_press_a_pause_and_another_key() -> None:
    ladder = Ladder()

    def press(key: str, ms: int) -> Step:
        return ladder.key(key, ms * MS, exiting=True)

    assert press("u", 1_000) is Step.SWALLOW, "nobody asked"
    assert press("ctrl+x", 2_000) is Step.JOIN
    assert press("u", 2_500) is Step.SWALLOW, "typed on"
    assert press("u", 3_400) is Step.HURRY
    assert press("u", 5_000) is Step.SWALLOW, "once"
    assert press("ctrl+x", 6_000) is Step.JOIN
    assert press("u", 17_000) is Step.SWALLOW, "the question is too old"
    assert press("f", 18_000) is Step.SWALLOW and press("colon", 19_000) is Step.TYPE
    assert ladder.key("colon", 20_000 * MS) is Step.SWALLOW, "only while exits are under way"


# --- command line ---------------------------------------------------------------------------------------


class Desk:
    """An operator whose commands are kept."""

    def __init__(self) -> None:
        self.sent: list[AnyCommand] = []
        self.asked = ""
        """The last question."""
        self.view = ViewModel()
        self.view.connected = True
        self.view.apply(rows.snapshot(NOW, "me"), NOW)
        self.operator = Operator(self.view, "me", self._send)

    def _send(self, command: AnyCommand) -> bool:
        self.sent.append(command)
        return True

    def say(self, text: str, *answers: str) -> str:
        """Type a command and its answers; returns the sentence it ends with."""
        parsed = commands.parse(text)
        if isinstance(parsed, str):
            return parsed
        talk = commands.talk(parsed, self.operator, lambda: NOW)
        assert talk is not None
        try:
            self.asked = str(next(talk))
            for answer in answers:
                self.asked = str(talk.send(answer))
        except StopIteration as end:
            return str(end.value)
        talk.close()
        return "still asking"


def test_resuming_takes_the_word_and_a_reason() -> None:
    desk = Desk()
    assert desk.say("resume", "yes") == "still asking" and "not the word" in desk.asked
    assert desk.say("resume", "resume", "") == "still asking" and "needs a reason" in desk.asked
    assert desk.sent == []
    assert desk.say("resume", "resume", "book is back") == ""
    [command] = desk.sent
    assert isinstance(command, Resume) and (command.confirm, command.reason) == ("resume", "book is back")


def test_only_one_halt_is_lifted_by_its_name() -> None:
    desk = Desk()
    assert desk.say("resume KAL", "resume", "they are back") == ""
    [command] = desk.sent
    assert isinstance(command, Resume) and command.scope == "KAL"


@pytest.mark.parametrize(
    ("text", "answers", "expected"),
    [
        ("reconcile", (), Reconcile("")),
        ("reconcile accept KX-1", ("accept", "by hand"), Accept("", "KX-1", "accept", "by hand")),
        ("reconcile accept cash", ("accept", "deposit"), Accept("", "cash", "accept", "deposit")),
        ("orders resolve 3ab1", ("resolve", "asked"), Resolve("", "3ab1", "", "resolve", "asked")),
        ("orders resolve 3ab1 V-7", ("resolve", "asked"), Resolve("", "3ab1", "V-7", "resolve", "asked")),
        ("alarms ack", (), AcknowledgeAll("")),
        ("alarms ack all", (), AcknowledgeAll("")),
        ("alarms ack 7", (), Acknowledge("", 7)),
        ("engine stop", (), StopEngine("", "", "cancel")),
        ("engine stop keep", (), StopEngine("", "", "keep")),
        ("engine stop --flatten", (), StopEngine("", "", "flatten")),
    ],
)
def test_the_truth_of_the_account_is_told_and_decided_by_typed_commands(
    text: str, answers: tuple[str, ...], expected: AnyCommand
) -> None:
    desk = Desk()
    if answers:
        word, _ = answers
        assert desk.say(text, "yes") and desk.say(text, word, " ") and desk.sent == []
    assert desk.say(text, *answers) == ""
    [command] = desk.sent
    assert msgspec.structs.replace(command, id="") == expected


@pytest.mark.parametrize(
    "text",
    ["reconcile accept", "reconcile now", "orders resolve", "alarms ack x", "engine", "engine stop now"],
)
def test_a_half_typed_one_is_answered_with_its_usage(text: str) -> None:
    desk = Desk()
    assert desk.say(text).startswith("usage: ") and desk.sent == []


def test_raising_autonomy_asks_and_lowering_it_does_not() -> None:
    desk = Desk()
    assert desk.say("mode semi") == ""
    assert desk.say("mode auto", "automatic", "night shift") == ""
    assert [type(command) for command in desk.sent] == [SetMode, SetMode]
    assert desk.sent[1].confirm == "automatic"  # type: ignore[union-attr]  # the type is asserted above


def test_switching_on_what_tripped_takes_its_name_a_word_and_a_reason() -> None:
    desk = Desk()
    assert desk.say("reenable") == "usage: reenable NAME"
    assert desk.say("reenable KXHIGHNY-T48", "enable", "it was the feed") == ""
    [command] = desk.sent
    assert isinstance(command, Reenable)
    assert (command.name, command.confirm, command.reason) == ("KXHIGHNY-T48", "enable", "it was the feed")


def test_unpausing_takes_a_word_but_no_reason() -> None:
    desk = Desk()
    desk.say("unpause maker", "unpause")
    [command] = desk.sent
    assert isinstance(command, Unpause) and command.strategy == "maker"


def test_limits_go_down_at_once_and_up_with_a_word_never_above_the_ceiling() -> None:
    desk = Desk()
    assert desk.say("limit day_loss_max 50") == ""
    assert isinstance(desk.sent[0], SetLimit) and desk.sent[0].confirm == ""
    assert "ceiling" in desk.say("limit day_loss_max 76")
    lowered = rows.LimitRow("day_loss_max", "loss today", "G24", "money", 0, 50 * rows.C, 75 * rows.C, "")
    desk.view.apply(Frame(2, NOW.mono_ns, limits=(lowered,)), NOW)
    assert desk.say("limit day_loss_max 60") == "still asking"
    assert desk.say("limit day_loss_max 60", "raise", "calm day") == ""
    assert isinstance(desk.sent[1], SetLimit) and desk.sent[1].confirm == "raise"
    assert "no limit" in desk.say("limit nonsense 5") and "decimal" in desk.say("limit day_loss_max five")
    assert desk.say("limit day_loss 5") == "there is no limit 'day_loss'; did you mean 'day_loss_max'?"


def test_bounds_of_one_order_are_set_by_the_same_command_and_minimums_the_other_way_round() -> None:
    desk = Desk()
    cost = rows.LimitRow("order_cost_max", "cost", "G06", "money", None, 50 * rows.C, 50 * rows.C, "", False)
    edge = rows.LimitRow("edge_min", "least edge", "G09", "price", None, 300, 200, "", False, floor=True)
    desk.view.apply(Frame(2, NOW.mono_ns, limits=(cost, edge)), NOW)
    assert desk.say("limit order_cost_max 20") == "" and desk.say("limit edge_min 0.04") == ""
    assert desk.say("limit edge_min 0.02", "raise", "calm") == ""
    assert [(c.value, c.confirm) for c in desk.sent if isinstance(c, SetLimit)] == [
        ("20", ""),
        ("0.04", ""),
        ("0.02", "raise"),
    ]
    assert "ceiling" in desk.say("limit edge_min 0.01")
    assert not {"order_cost_max", "edge_min"} & {row.name for row in desk.view.limit_list(None)}


@pytest.mark.parametrize("text", ["launch", "cancel", "limit loss", "alarms ack " + "9" * 30])
def test_a_wrong_command_gets_one_sentence(text: str) -> None:
    assert Desk().say(text)


@pytest.mark.parametrize(
    ("typed", "meant"), [("flaten", "flatten"), ("flat", "flatten"), ("rsume", "resume")]
)
def test_a_mistyped_command_gets_the_one_that_was_meant(typed: str, meant: str) -> None:
    assert commands.parse(typed) == f"there is no command {typed!r}; did you mean {meant!r}?"


def test_edits_may_only_be_smaller_or_better() -> None:
    card = rows.card(NOW)
    assert parse_edit(card, "20 @ 31") == (3100, 20 * rows.C)
    assert parse_edit(card, "@31.5") == (3150, 40 * rows.C)
    for text in ("41", "20 @ 33", "0", "@ 0", "", "40 @ 32", "1e3", "-5"):
        assert isinstance(parse_edit(card, text), str), text
    exit_card = rows.card(NOW, closes=True)
    assert parse_edit(exit_card, "@33") == (3300, 40 * rows.C)
    assert isinstance(parse_edit(exit_card, "@31"), str)


# --- registry -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [76, 98, 158])
def test_help_cuts_nothing_and_keeps_names_apart_from_what_they_mean(width: int) -> None:
    shown = [plain(row) for row in help_lines("desk", width, USUAL)]
    assert max(map(len, shown)) <= width and not any(row.rstrip().endswith(ELLIPSIS) for row in shown)
    whole = " ".join(" ".join(shown).split())
    for spec in COMMANDS:
        assert f"{spec.name} {spec.usage}".strip() + " " + spec.help in whole
        assert not spec.word or f"asks for the word {spec.word}" in whole
    assert all(f"{keys} {text}" in whole for keys, text in LADDER)


OF_THE_SCREEN = {
    "copy",
    "desk",
    "screenshot",
    "settings",
    "filter",
    "go",
    "help",
    "low-bandwidth",
    "palette",
    "quit",
    "theme",
    "watch",
}


def test_every_command_about_the_desk_has_its_twin_on_the_other_side() -> None:
    console, shell = {spec.name for spec in COMMANDS}, set(cli.whole())
    assert console - shell == {"take", *OF_THE_SCREEN}, "attach --take"
    reading = {"status", "proposals", "limits", "market", "history", "payoff"}
    around = {"demo", "open", "attach", "sim", "watchdog", "key", "doctor", "drill", "tmux"}
    assert shell - console == reading | around


def test_enter_never_spends_and_nothing_harmless_sits_beside_approve() -> None:
    spending = {key for action in ACTIONS if action.danger is Danger.SPEND for key in action.keys}
    assert spending == {"a", "y", "n"}
    assert all(USUAL.action_for(key, "desk") is None for key in ("s", "w", "z", "0"))
    assert all(USUAL.action_for(key, "markets") is None for key in spending)


def test_riskier_commands_name_their_word_and_safer_ones_have_none() -> None:
    words = {spec.name: spec.word for spec in COMMANDS if spec.word}
    assert words == {
        "unpause": "unpause",
        "reenable": "enable",
        "mode": "automatic",
        "resume": "resume",
        "reconcile": "accept",
        "orders": "resolve",
        "limit": "raise",
    }
    twins = {spec.name for spec in COMMANDS}
    assert all(action.cli in twins for action in ACTIONS if action.cli)
    assert all(action.danger is not Danger.SPEND or action.screens == DECIDES for action in ACTIONS)


# --- layout ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [80, 99, 100, 119, 120, 159, 160, 200])
@pytest.mark.parametrize("height", [24, 28, 30, 35, 36, 45, 50, 60])
@pytest.mark.parametrize(
    "needs", [Needs(False, 2, 14, 0, 0, 0), Needs(True, 0, 14, 2, 4, 2), Needs(True, 0, 40, 30, 40, 20)]
)
def test_panes_tile_the_body_without_overlap(width: int, height: int, needs: Needs) -> None:
    for banded in (0, 1):
        plan = desk_plan(width, height, needs, banded)
        cells = {
            (x, y)
            for r in plan.values()
            for x in range(r.x, r.x + r.width)
            for y in range(r.y, r.y + r.height)
        }
        assert len(cells) == sum(r.width * r.height for r in plan.values()) == width * (height - 3 - banded)
        assert (
            plan.keys() == desk_plan(width, height, needs).keys() >= {"card", "markets", "orders", "limits"}
        )
        assert plan["markets"].height >= 6 and not is_reduced(width, height)
        assert ("alarms" in plan) == is_two_column(width, height)
        assert plan["card"].height >= 10 if needs.card else plan["card"].height <= 5


def test_below_the_smallest_size_only_the_essentials_are_left() -> None:
    assert set(desk_plan(79, 24, Needs(True, 0, 1, 1, 1, 1))) == {"card", "limits", "size"}


# --- coach ----------------------------------------------------------------------------------------------


def test_the_coach_follows_the_desk_and_says_each_thing_once() -> None:
    view, coach = ViewModel(), Coach(enabled=True)
    view.connected = True
    view.apply(rows.snapshot(NOW, "me", cards=False), NOW)
    view.orders.clear()
    assert coach.update(view, NOW).startswith("Simulated money")
    view.apply(Frame(2, NOW.mono_ns, proposals=(rows.card(NOW),)), NOW)
    assert coach.update(view, NOW).startswith("A trade is proposed")
    view.apply(Frame(3, NOW.mono_ns, proposals=(rows.blocked(NOW),)), NOW)
    assert coach.update(view, NOW).startswith("Stale data")
    assert coach.dismiss() and coach.update(view, NOW) == ""


def test_every_sentence_of_the_coach_fits_the_smallest_desk() -> None:
    assert [beat.text for beat in BEATS if len(USUAL.spelt(beat.text)) > TEXT_MAX] == []


def test_the_coach_is_silent_outside_the_demo_and_when_switched_off() -> None:
    view = ViewModel()
    view.apply(rows.snapshot(NOW, "me", profile="live"), NOW)
    assert Coach(enabled=True).update(view, NOW) == ""
    view.apply(rows.snapshot(NOW, "me"), NOW)
    assert Coach(enabled=False).update(view, NOW) == ""

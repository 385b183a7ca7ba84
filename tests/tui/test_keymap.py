"""The keys of ``[keys]``: what may be changed, what is refused in one sentence, what follows the change."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from textual.keys import _character_to_key

from core.config import paths
from core.control.protocol import Approve, Flatten, Halt
from tests.tui.conftest import running
from tui.actions import ACTIONS, Danger, for_viewers, works_on
from tui.cli import cli
from tui.keymap import STOP_ALSO, USUAL, KeymapError, keymap
from tui.typed_bytes import STOPS, StopScanner

ANY_KEY = st.sampled_from(
    [*string.ascii_letters, *string.punctuation, "^X", "^G", "Esc", "Enter", "F5", "Space", "Tab", "ctrl+x"]
)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"halts": "F5"}, "there is no action 'halts': did you mean 'halt'?"),
        ({"halt": "F19"}, "there is no key 'F19'"),
        ({"halt": []}, "halt must be a key such as 'F5', or a list of keys"),
        ({"halt": 7}, "halt must be a key such as 'F5', or a list of keys"),
        ({"halt": "x"}, "x cannot be halt: it is card.veto already"),
        ({"halt": "^I"}, "a terminal sends Tab for it"),
        ({"halt": "^S"}, "terminals and tmux keep it to themselves"),
        ({"halt": "^X"}, "halt cannot be ^X, which stops the desk"),
        ({"halt": "s"}, "s stays free: it lies beside the key that approves"),
        ({"stop": "^G"}, "^X cannot be taken from stop"),
        ({"stop": ["^X", "F1"]}, "F1 cannot stop the desk: besides ^X one of ^G,"),
        ({"card": {"approve": "Enter"}}, "card.approve spends, so its key is a letter, not Enter"),
        ({"card": {"approve": "F5"}}, "card.approve spends, so its key is a letter"),
        ({"card.veto": "o", "table.sort": "O"}, "o: once it is sent that is a reason"),
    ],
)
def test_a_map_that_cannot_be_is_one_sentence_about_its_row(table: dict[str, object], said: str) -> None:
    with pytest.raises(KeymapError) as refused:
        keymap(table)
    assert said in str(refused.value) and "\n" not in str(refused.value)
    assert refused.value.action in ("card.approve", *table)


@given(st.dictionaries(st.sampled_from([action.id for action in ACTIONS]), ANY_KEY, max_size=4))
def test_whatever_is_mapped_ctrl_x_stops_everywhere_and_no_key_means_two_things(
    table: dict[str, str],
) -> None:
    try:
        made = keymap(table)
    except KeymapError as error:
        assert error.action in table
        return
    screens = {screen for action in ACTIONS for screen in action.screens} | {"help"}
    for screen in screens:
        stop = made.action_for("ctrl+x", screen)
        assert stop is not None and stop.danger is Danger.STOP
        keys = [key for action in made.actions if works_on(action, screen) for key in action.keys]
        assert len(keys) == len({*keys})
    assert made.stops >= STOPS
    spending = {key for action in made.actions if action.danger is Danger.SPEND for key in action.keys}
    assert all(len(key) == 1 and key.isalpha() for key in spending)


def test_keys_are_written_as_on_the_screen_or_by_their_names() -> None:
    for character in string.punctuation:
        taken = any(_character_to_key(character) in action.keys for action in ACTIONS)
        if not taken:
            assert keymap({"halt": character}).action_for(_character_to_key(character), "desk").id == "halt"  # type: ignore[union-attr]
    for written, key in (("f5", "f5"), ("F5", "f5"), ("^l", "ctrl+l"), ("ctrl+L", "ctrl+l"), ("h", "h")):
        assert keymap({"halt": written}).action_for(key, "desk").id == "halt"  # type: ignore[union-attr]


def test_a_stop_that_is_added_is_seen_where_the_keys_are_read() -> None:
    for key in STOP_ALSO:
        stops = keymap({"stop": ["^X", key]}).stops
        byte = bytes((ord(key[-1]) & 0x1F,))
        assert StopScanner(stops).feed(b"a" + byte + b"b\x18")[0] == 2
        assert StopScanner().feed(byte) == (0, byte)


def test_who_swaps_yes_and_no_is_told() -> None:
    assert keymap({}).warnings == ()
    [warning] = keymap({"card.approve": "x", "card.veto": "a"}).warnings
    assert warning == "[keys]: x approves and a vetoes here, the other way round than usual"


def test_a_console_that_looks_on_is_hinted_nothing_that_would_be_refused_to_it() -> None:
    for screen in ("desk", "orders", "market", "positions", "evidence"):
        said = {
            controls: {
                label
                for _, label in USUAL.hints(screen, card=True, spends=True, controls=controls, width=400)
            }
            for controls in (True, False)
        }
        assert {"yes", "no", "edit", "defer", "trade", "reduce", "pause", "cancel"}.isdisjoint(said[False])
        assert said[False] <= said[True] and {"halt", "help", "leave"} <= said[False]
    refused = {action.id for action in ACTIONS if not for_viewers(action)}
    spends_or_safer = {action.id for action in ACTIONS if action.danger in (Danger.SPEND, Danger.SAFER)}
    assert refused == spends_or_safer - {"halt"} | {"ticket", "close"}


async def test_hints_help_and_dispatch_follow_the_map(directory: Path) -> None:
    mapped = keymap(
        {"card": {"approve": "x", "veto": "a"}, "halt": ["F5"], "stop": ["^X", "^G"], "order.cancel": "k",
         "move.up": "up", "back": "F9"}
    )  # fmt: skip
    async with running(directory, size=(160, 45), keymap=mapped) as desk:
        await desk.shows("x approves and a vetoes here")
        await desk.shows(" ARMED ")
        assert " x yes  a no " in desk.text and "F5 halt" in desk.text and "k cancel   C cancel" in desk.text
        await desk.press("question_mark")
        await desk.shows("F5        safer")
        assert "x         spends" in desk.text
        assert "F9 closes" in desk.text and " F9 back " in desk.text
        await desk.press("question_mark", "H")
        assert desk.sent(Halt) == []
        await desk.press("f5")
        await desk.engine.expect(Halt)
        await desk.shows(" ARMED ")
        await desk.press("x")
        await desk.engine.expect(Approve)
        await desk.press("colon", "ctrl+g")
        await desk.engine.expect(Flatten)


def test_the_line_of_the_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PMCONSOLE_HOME", str(tmp_path))
    place = paths.profile("demo")
    paths.prepare(place)
    place.config.write_text('[console]\nbell = "off"\n[keys]\nhalt = "F5"\n"card.approve" = "Enter"\n')
    said = CliRunner().invoke(cli, ["demo"])
    assert said.exit_code == 2
    assert said.stderr == (
        f"pmconsole: {place.config}:5: card.approve spends, so its key is a letter, not Enter\n"
    )

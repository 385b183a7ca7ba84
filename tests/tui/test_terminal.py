"""The real terminal: the stop key under a blocked loop, pastes, bad bytes, hang-ups, resizes."""

from __future__ import annotations

import asyncio
import re
import signal
import termios
import time
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.config import paths
from core.config.paths import Profile
from core.control.protocol import Approve, Edit, Flatten, Halt, Veto
from tests.tui import rows
from tests.tui.ptys import TIMEOUT_S, Terminal, console
from tui.outflow import ANSWER, QUESTION
from tui.tables import Now
from tui.terminal import PASTE_PAUSE_S, TITLE_BACK, TITLE_KEPT
from tui.typed_bytes import PASTE_END, PASTE_START, SequenceFilter, StopScanner

NOW = Now(1_000 * rows.S, 1_700_000_000_000)


async def test_stop_leaves_while_the_terminal_is_not_read_and_the_loop_is_blocked(directory: Path) -> None:
    async with console(directory, 200, 50) as (terminal, engine):
        # Switching screens unread fills the pty's buffer, then Textual's queue, and blocks its loop.
        for _ in range(40):
            terminal.type(b"2\x1b[B3451")
        await asyncio.sleep(1.0)
        before = [command for command in engine.commands if isinstance(command, Flatten)]
        pressed = time.monotonic_ns()
        terminal.type(b"\x18")
        await engine.expect(Flatten, 2.0)
        took_ms = (time.monotonic_ns() - pressed) / 1e6
        assert before == [] and took_ms < 1000


async def test_both_copies_of_one_press_are_one_command(directory: Path) -> None:
    """The input thread and the loop both send it, and know a stop key that was added; a late copy
    must not begin another stop."""
    place = Profile("demo", directory / "demo")
    paths.prepare(place)
    place.config.write_text('[keys]\nstop = ["^X", "^G"]\n')
    async with console(directory) as (terminal, engine):
        for presses, key in ((1, b"\x18"), (2, b"\x07")):
            terminal.type(key)
            deadline = time.monotonic() + TIMEOUT_S
            while len(sent := [c.id for c in engine.commands if isinstance(c, Flatten)]) < 2 * presses:
                assert time.monotonic() < deadline, sent
                await asyncio.sleep(0.02)
                terminal.read()
            assert len(set(sent)) == presses


async def test_stop_key_decisions_and_paste_in_a_real_terminal(directory: Path) -> None:
    async with console(directory) as (terminal, engine):
        terminal.type(PASTE_START + b"a\x18H" + PASTE_END)
        # Neither malformed bytes nor the letters of unknown sequences may act or end the input thread.
        terminal.type(b"\xff\xfe\x1b[999;1a\x1b[<0;1H\x1b]0;aaa\x07\x1b[9")
        await asyncio.sleep(0.3)  # the unfinished sequence is given up after a moment
        assert engine.commands == []
        terminal.type(b"H")
        await engine.expect(Halt)
        assert not [command for command in engine.commands if isinstance(command, Approve | Flatten)]
        terminal.type(b"e")
        await terminal.shows("h halves")
        terminal.type(b"h\r")
        edit = await engine.expect(Edit)
        assert isinstance(edit, Edit) and edit.quantity == 20_000_000
        terminal.type(b"a")
        await engine.expect(Approve)
        terminal.type(b"x")
        await terminal.shows("why not?")
        terminal.type(b"o")
        deadline = time.monotonic() + TIMEOUT_S
        while len(vetoes := [c.reason for c in engine.commands if isinstance(c, Veto)]) < 2:
            assert time.monotonic() < deadline, terminal.text
            await asyncio.sleep(0.01)
            terminal.read()
        assert vetoes == ["", "other"]
        terminal.type(b"\x18")
        await engine.expect(Flatten)
        await terminal.shows("STOPPING")


async def test_the_kitty_protocol_is_off_and_its_stop_key_stops_all_the_same(directory: Path) -> None:
    async with console(directory) as (terminal, engine):
        assert re.search(rb"\x1b\[[>=][\d;]*u", terminal.written) is None
        terminal.type(b"\x1b[97;5u\x1b[120;1u\x1b[120;5:3u")  # Ctrl-A, x, and Ctrl-X let go
        terminal.type(b"\x1b[120;5u")
        await engine.expect(Flatten)
        await terminal.shows("STOPPING")
        assert {type(command) for command in engine.commands} == {Flatten}


async def test_an_unclosed_paste_does_not_hide_the_stop_key(directory: Path) -> None:
    async with console(directory) as (terminal, engine):
        terminal.type(b":")
        await terminal.shows("halt")
        terminal.type(PASTE_START + b"never closed")
        await terminal.shows("never closed")  # it has paused for long enough: it is over
        assert PASTE_PAUSE_S < 0.9
        terminal.type(b"\x18")
        await engine.expect(Flatten)


async def test_nothing_is_approved_on_a_picture_that_the_terminal_has_not_shown(directory: Path) -> None:
    async with console(directory, 120, 36) as (terminal, engine):
        terminal.answers = True
        terminal.type(ANSWER.encode())
        await asked(terminal)
        terminal.answers = False
        await asked(terminal)
        await still(terminal, 1.2)
        drawn = len(terminal.written)
        terminal.type(b"a")
        await asyncio.sleep(0.3)
        terminal.read()
        assert engine.commands == [] and len(terminal.written) == drawn
        terminal.answers = True
        terminal.type(ANSWER.encode())
        await terminal.shows("SLOW LINE")
        terminal.type(b"q")
        assert await terminal.ended() == 0
        terminal.read()
        assert QUESTION.encode() not in terminal.written.rpartition(b"\x1b[?1049l")[2]


async def still(terminal: Terminal, seconds: float) -> None:
    """Wait until nothing was drawn for so long."""
    deadline, drawn, since = time.monotonic() + TIMEOUT_S, -1, 0.0
    while drawn != len(terminal.written) or time.monotonic() - since < seconds:
        assert time.monotonic() < deadline
        if drawn != len(terminal.written):
            drawn, since = len(terminal.written), time.monotonic()
        await asyncio.sleep(0.05)
        terminal.read()


async def asked(terminal: Terminal) -> None:
    """Wait until it is asked once more what it has shown."""
    before = terminal.written.count(QUESTION.encode())
    deadline = time.monotonic() + TIMEOUT_S
    while terminal.written.count(QUESTION.encode()) == before:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
        terminal.read()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGHUP, 129), (signal.SIGTERM, 143)])
async def test_signals_end_the_console_cleanly(directory: Path, number: signal.Signals, code: int) -> None:
    async with console(directory) as (terminal, engine):
        terminal.process.send_signal(number)
        assert await terminal.ended() == code
        assert engine.commands == []
        assert_title_back(terminal)


async def test_a_terminal_that_vanishes_without_a_signal_ends_the_console(directory: Path) -> None:
    """The pty is nobody's controlling terminal here, so its end comes as an end of file alone."""
    async with console(directory) as (terminal, engine):
        terminal.vanish()
        assert await terminal.ended() in (0, 129)
        assert engine.commands == []


async def test_a_stopped_console_goes_on_as_before_and_ends_with_its_terminal_whatever_it_is_told(
    directory: Path,
) -> None:
    """The kernel sends SIGCONT with a hangup too; a shell has the terminal while the console is stopped."""
    async with console(directory, exported=(160, 45), owned=True) as (terminal, engine):
        await goes_on(terminal)  # though it was not stopped
        for _ in range(3):  # two readers would tear the sequence, and its letter would spend
            for part in (b"\x1b[1;9", b"a"):
                terminal.type(part)
                await asyncio.sleep(0.05)
        for stop in (signal.SIGSTOP, signal.SIGTSTP):
            terminal.process.send_signal(stop)
            await stopped(terminal)
            termios.tcsetattr(terminal.fd, termios.TCSANOW, terminal.modes)
            await goes_on(terminal)
            engine.commands.clear()
            terminal.type(b"H")
            await engine.expect(Halt)
            assert len(engine.commands) == 1
        terminal.vanish()
        for number in (signal.SIGWINCH, signal.SIGCONT):
            terminal.process.send_signal(number)
        assert await terminal.ended() in (0, 129)


async def goes_on(terminal: Terminal) -> None:
    """Told to go on, the console draws all of the screen, not what has changed of it."""
    terminal.read()
    terminal.screen.reset()
    terminal.process.send_signal(signal.SIGCONT)
    await terminal.shows("MARKETS")
    await terminal.shows("^X STOP")


def stands(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


async def stopped(terminal: Terminal) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not stands(terminal.process.pid):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
        terminal.read()


def assert_title_back(terminal: Terminal) -> None:
    """The window's own title was put aside before ours was set, and back after ours was set last."""
    terminal.read()
    written = bytes(terminal.written)
    assert written.index(TITLE_KEPT.encode()) < written.index(b"\x1b]0;DEMO ")
    assert written.rindex(b"\x1b]0;") < written.rindex(TITLE_BACK.encode())


async def test_the_desk_follows_a_resize_whatever_the_environment_says_and_q_restores_the_terminal(
    directory: Path,
) -> None:
    async with console(directory) as (terminal, _):
        terminal.resize(160, 45)
        await terminal.shows("ALARMS")
        terminal.resize(60, 20)
        await terminal.shows("80x24 shows the whole desk")
        terminal.type(b"q")
        assert await terminal.ended() == 0
        assert_title_back(terminal)
        assert not any("Traceback" in text for text in terminal.screen.display)


async def test_a_busy_desk_keeps_to_its_bytes_with_little_bandwidth(directory: Path) -> None:
    async with console(directory, 80, 24, "tui.cli", "--low-bandwidth") as (terminal, engine):
        terminal.read()
        before, begun = len(terminal.written), time.monotonic()
        frames = 0
        while (elapsed := time.monotonic() - begun) < 2.0:
            frames += 1
            moved = [msgspec.structs.replace(row, bid=frames % 90 * 100 + 100) for row in rows.markets(NOW)]
            engine.send(markets=tuple(moved))
            await asyncio.sleep(0.1)
            terminal.read()
        assert frames > 6 and 0 < len(terminal.written) - before < 5000 * elapsed


# --- the scanner ------------------------------------------------------------------------------------------


def scan(chunks: list[bytes]) -> tuple[int, bytes]:
    scanner = StopScanner()
    found = [scanner.feed(chunk) for chunk in chunks]
    return sum(stops for stops, _ in found), b"".join(rest for _, rest in found)


@given(
    st.lists(
        st.sampled_from(
            [b"\x18", b"a", b"\x1b", b"[", b"200~", b"201~", b"120;5", b":1", b"u", PASTE_START, PASTE_END]
        ),
        max_size=30,
    )
)
def test_how_input_is_split_into_reads_does_not_matter(parts: list[bytes]) -> None:
    data = b"".join(parts)
    assert scan([data]) == scan(parts) == scan([bytes((byte,)) for byte in data])


@pytest.mark.parametrize(
    ("data", "stops"),
    [
        (b"\x1b[120;5u", 1),
        (b"\x1b[120;5:1u", 1),
        (b"\x1b[120;5:2u", 1),
        (b"\x1b[120;5:3u", 0),  # let go
        (b"\x1b[120;133u", 1),  # Num Lock
        (b"\x1b[120:88;6u", 1),  # Shift too
        (b"\x1b[1095::120;5u", 1),  # a Cyrillic layout
        (b"\x1b[120;5;24u", 1),  # with its text
        (b"\x1b[27;5;120~", 1),
        (b"\x1b[27;6;88~", 1),
        (b"\x1b[120u", 0),
        (b"\x1b[120;1u", 0),
        (b"\x1b[120;3u", 0),
        (b"\x1b[99;5u", 0),
        (b"\x1b[27;3;120~", 0),
        (b"\x1b[1120;5u", 0),
        (b"[120;5u", 0),
        (PASTE_START + b"\x1b[120;5u" + PASTE_END, 0),
    ],
)
def test_the_stop_key_is_known_in_every_protocol(data: bytes, stops: int) -> None:
    assert scan([data])[0] == scan([bytes((byte,)) for byte in data])[0] == stops
    assert StopScanner().feed(data)[1] == data


@given(st.text(st.sampled_from("\x1b[O<;0129aAHM~R?$yPt]\x07\\ "), max_size=60))
def test_filtered_input_keeps_no_letter_of_an_unknown_sequence(text: str) -> None:
    sequences = SequenceFilter()
    passed = sequences.feed(text) + sequences.rest()
    assert len(passed) <= len(text)
    whole = SequenceFilter()
    pieces = "".join(whole.feed(char) for char in text) + whole.rest()
    assert pieces == passed


@pytest.mark.parametrize(
    ("text", "passed"),
    [
        ("a\x1b[1;9aH", "aH"),
        ("\x1b[A\x1bOA\x1b[5~", "\x1b[A\x1bOA\x1b[5~"),
        ("\x1b]52;c;aaa\x07x", "x"),
        ("\x1bP1$r0m\x1b\\x", "x"),
        ("\x1b[?2026;2$y", "\x1b[?2026;2$y"),
        ("\x1b[200~\x1b[1;9a\x1b[201~", "\x1b[200~[1;9a\x1b[201~"),
        ("\x1b[200~\x1b" + "a" * 40 + "\x1b[201~H", "\x1b[200~" + "a" * 40 + "\x1b[201~H"),
        ("\x1b[200~a\x1b[20", "\x1b[200~a"),
        ("\x1b[200~" + "a" * 9999 + "\x1b[201~", "\x1b[200~" + "a" * 4096 + "\x1b[201~"),
        ("\x1b[48;9999;9999;1;1t\x1b[?2048;1$y\x1b[<0;9;9M\x1b[9;9R", ""),
        ("\x1b", "\x1b"),
        ("\x1b\x1b", "\x1b\x1b"),
        ("\x1b[1;9", ""),
    ],
)
def test_known_sequences_pass_and_unknown_ones_vanish(text: str, passed: str) -> None:
    sequences = SequenceFilter()
    assert sequences.feed(text) + sequences.rest() == passed


def test_stops_count_outside_pastes_only() -> None:
    assert scan([b"a\x18b" + PASTE_START + b"\x18" + PASTE_END + b"\x18"]) == (
        2,
        b"ab" + PASTE_START + b"\x18" + PASTE_END,
    )
    assert scan([b"\x1b\x18", b"\x1b[20\x180~\x18"])[0] == 3

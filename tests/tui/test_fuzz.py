"""Bad input: any bytes typed, any text shown, sizes and clocks that jump, floods, a fault."""

from __future__ import annotations

import asyncio
import random
import re
import termios
import time
from pathlib import Path

import msgspec

from core.control.processes import usage
from core.control.protocol import Command, Flatten, Frame, Halt, Query
from core.control.tables.markets import MarketStatic
from core.control.tables.safety import AlarmRow
from tests.tui import rows
from tests.tui.conftest import running
from tests.tui.fake_engine import FakeEngine, read_clocks
from tests.tui.ptys import Terminal, console
from tui.tables import Now
from tui.typed_bytes import PASTE_END, PASTE_START

SEED = 7
NAMED = b"\x1b[120;5:3u"
"""A release of the stop key, on which Textual's own parser ends."""
LETTERS = b"aHxqyncCpPmdefvl:/? !12345678[]\r\t"
"""Keys that do something here."""
FINALS = b"acdghijklmnopqrstuvwxyzEGJKNTUVWXYZ@^_`{|}"
"""Ends of sequences that are no key on any terminal."""
HOSTILE = (
    "\x1b]0;owned\x07\x1b]52;c;b3duZWQ=\x07\x1b[2J\x1b[31m\u202eesrever\u2066\u200b\u200d"
    "世界👩‍👩‍👧🇺🇸e\u0301\u0903\x9b31m\x90q\x9c[@click=app.quit]no[/][/\r\n\t\x00\x7f"
)
OUR_SEQUENCE = re.compile(
    r"\x1b\[[\d;]*[mHABCDJK]|\x1b\[\?(?:25|7|1049|1004|1015|1006|1000|1003|2004|2026|2048)[hl]"
    r"|\x1b\[\?(?:2026|2048)\$p|\x1b\[<u|\x1b\]0;[ -~]*\x07"
    r"|\x1b\]22;[a-z-]*\x07|\x1b\[2[23];0t|\x1b\[5n"
)


def sent(engine: FakeEngine, kind: type = Command) -> list[object]:
    """What the console sent besides questions of its own."""
    return [one for one in engine.commands if isinstance(one, kind) and not isinstance(one, Query)]


async def flattens_more(terminal: Terminal, engine: FakeEngine) -> None:
    """The stop key starts, or joins, the stop."""
    before = len(sent(engine, Flatten))
    terminal.type(b"\x18")
    deadline = time.monotonic() + 2.0
    while len(sent(engine, Flatten)) <= before:
        assert time.monotonic() < deadline, terminal.text
        await asyncio.sleep(0.01)
        terminal.read()


def nonsense(rng: random.Random) -> bytes:
    """Bytes that no terminal sends for a key, with letters in them that would act if taken for keys."""
    letters = bytes(rng.choices(LETTERS, k=rng.randrange(1, 9)))
    numbers = ";".join(
        str(rng.randrange(10 ** rng.randrange(1, 6))) for _ in range(rng.randrange(4))
    ).encode()
    match rng.randrange(7):
        case 0:
            return b"\x1b[" + rng.choice([b"", b"?", b">", b"="]) + numbers + bytes([rng.choice(FINALS)])
        case 1:
            return b"\x1b" + rng.choice([b"]", b"P", b"^", b"_", b"X"]) + letters + b"\x07"
        case 2:
            return PASTE_START + letters + b"\x1b" + letters * 5 + b"\x18" + PASTE_END
        case 3:
            return b"\x1b[<" + numbers + b"M"
        case 4:
            return b"\x1b[48;" + numbers + b"t" + NAMED
        case 5:
            return b"\x1b[1;" + numbers + b"u"
        case _:
            return bytes(rng.choices(range(0x80, 0x100), k=9))


async def test_bytes_that_are_no_key_do_nothing_and_any_bytes_leave_the_keys_working(directory: Path) -> None:
    rng = random.Random(SEED)
    async with console(directory) as (terminal, engine):
        terminal.type(NAMED)
        for _ in range(40):
            terminal.type(b"".join(nonsense(rng) for _ in range(40)))
            await asyncio.sleep(0.005)
            terminal.read()
        await asyncio.sleep(0.3)  # what was left unfinished is given up
        assert sent(engine) == []
        terminal.type(b"H")
        await engine.expect(Halt)
        any_but_leaving = bytes(sorted({*range(256)} - {*b"q\x11"}))
        terminal.type(bytes(rng.choices(any_but_leaving, k=200)))
        await asyncio.sleep(0.7)  # a paste that began is over
        await flattens_more(terminal, engine)
        assert terminal.process.poll() is None


async def test_a_paste_that_goes_on_for_ever_hides_the_stop_key_for_less_than_two_seconds(
    directory: Path,
) -> None:
    async with console(directory) as (terminal, engine):
        terminal.type(PASTE_START)
        for _ in range(18):
            terminal.type(b"aH")
            await asyncio.sleep(0.1)
        assert sent(engine) == []
        await flattens_more(terminal, engine)
        assert not sent(engine, Halt)


async def test_a_storm_of_sizes_with_a_question_open_ends_in_a_tidy_desk(directory: Path) -> None:
    rng = random.Random(SEED)
    async with console(directory) as (terminal, engine):
        terminal.type(b":")
        await terminal.shows("halt")
        for _ in range(25):
            terminal.resize(rng.randrange(1, 250), rng.randrange(1, 70))
            await asyncio.sleep(0.01)
            terminal.read()
        terminal.resize(80, 24)
        terminal.type(b"halt\r")
        await engine.expect(Halt)
        await terminal.shows("^X STOP")
        await terminal.shows("total [")
        await terminal.shows("? help    ^X STOP")


async def test_a_flood_of_alarms_and_ten_thousand_markets_leave_the_keys_working(directory: Path) -> None:
    async with console(directory) as (terminal, engine):
        now = read_clocks()
        static, market = rows.statics()[0], rows.markets(now)[0]
        for first in range(1000, 11_000, 2000):
            keys = range(first, first + 2000)
            engine.send(
                statics=tuple(named(static, key) for key in keys),
                markets=tuple(msgspec.structs.replace(market, key=key) for key in keys),
            )
        alarms = rows.alarms(now)
        for burst in range(10):
            engine.send(alarms=tuple(alarm(alarms[0], burst * 50 + n) for n in range(50)))
            await asyncio.sleep(0.1)
            terminal.read()
        terminal.type(b"2")
        await terminal.shows("MARKETS 10015")
        before = cpu_s(terminal)
        terminal.type(b"H")
        await engine.expect(Halt)
        assert cpu_s(terminal) - before < 1.0, "of work, however long a busy machine lets it wait"


def cpu_s(terminal: Terminal) -> float:
    found = usage(terminal.process.pid)
    assert found is not None
    return found.cpu_s


def named(static: MarketStatic, key: int) -> MarketStatic:
    return msgspec.structs.replace(static, key=key, ticker=f"KXHIGHNY-{key}", label=f"NYC {key}")


def alarm(row: AlarmRow, number: int) -> AlarmRow:
    return msgspec.structs.replace(row, id=100 + number, what=f"book {number} is old")


# --- what is shown ----------------------------------------------------------------------------------------


def hostile(value: object) -> object:
    """The same rows with every text for a person made hostile."""
    match value:
        case str() if " " in value:
            return value[:12] + HOSTILE + value[12:]
        case msgspec.Struct():
            fields = {name: hostile(getattr(value, name)) for name in value.__struct_fields__}
            return type(value)(**fields)
        case tuple():
            return tuple(hostile(one) for one in value)
    return value


async def test_hostile_texts_shift_no_column_and_write_nothing_but_our_own_sequences(directory: Path) -> None:
    async with console(directory, 160, 45) as (terminal, engine):
        now = read_clocks()
        frame = rows.snapshot(now, engine.session)
        bad = hostile(frame)
        assert isinstance(bad, Frame)
        engine.send(
            **{name: getattr(bad, name) for name in bad.__struct_fields__ if name not in ("seq", "made_ns")}
        )
        engine.send(journal=(msgspec.structs.replace(rows.journal(now)[0], seq=200, text=HOSTILE * 4000),))
        engine.answers["hostile"] = b""
        for key in (b"1", b"v", b"1", b"2", b"3", b"4", b"5", b"8", b"\x1b[B\r", b"!", b"1", b"?", b"1"):
            terminal.type(key)
            await asyncio.sleep(0.08)
            terminal.read()
        await terminal.shows("APPROVE")
        bars = {text.find("│", 1) for text in terminal.screen.display[4:12]}
        assert bars == {61}, terminal.text
        titles = set(re.findall(r"\x1b\]0;([^\x07]*)\x07", terminal.written.decode()))
        assert titles and all(title.endswith("pmconsole") for title in titles), titles
        written = terminal.written.decode(errors="ignore")
        left = OUR_SEQUENCE.sub("", written[: written.rindex("\x1b")])  # the last one may have just begun
        wrong = sorted({hex(ord(char)) for char in left if not shown_alone(char)})
        assert wrong == [], re.findall(r".{0,20}\x1b.{0,20}", left)[:3]


def shown_alone(char: str) -> bool:
    """Whether a character is one cell and no instruction."""
    return " " <= char <= "~" or char in "\r\n" or ("\xa0" < char < "\u0300") or "\u2500" <= char <= "\u257f"


async def test_a_clock_that_jumps_leaves_the_desk_as_it_was(directory: Path) -> None:
    async with running(directory, size=(120, 36)) as desk:
        await desk.shows(" ARMED ")
        read = desk.app.clock
        for jump_ms in (86_400_000 * 400, -(10**13)):

            def jumped(by_ms: int = jump_ms) -> Now:
                now = read()
                return Now(now.mono_ns, now.wall_ms + by_ms)

            desk.app.clock = jumped
            for key in ("3", "5", "8", "1"):
                await desk.press(key)
            await desk.shows(" ARMED ")


async def test_a_fault_ends_the_console_with_one_sentence_and_the_terminal_as_it_was(directory: Path) -> None:
    async with console(directory, module="tests.tui.failing_console") as (terminal, engine):
        terminal.type(b"?")
        assert await terminal.ended() == 1
        terminal.read()
        after = terminal.written.rpartition(b"\x1b[?1049l")[2].decode()
        assert "\x1b[?25h" in after and "Traceback" not in terminal.written.decode()
        (said,) = [text for text in after.splitlines() if "pmconsole: " in text]
        assert "the console failed (KeyError: " in said and "made on purpose" in said
        log = directory / "demo" / "console.log"
        assert str(log) in said and "_fail" in log.read_text()
        assert termios.tcgetattr(terminal.fd) == terminal.modes
        assert sent(engine) == []

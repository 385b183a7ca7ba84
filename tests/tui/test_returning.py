"""Since you left: what is told on attach, and that no card arms before it was read."""

from __future__ import annotations

import stat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from core.config.seen import Seen, read_seen, write_seen
from core.control.protocol import Approve
from core.domain.clock import Clock, SystemClock
from core.domain.units import Money
from core.journal.digest import PARTS, Cards, Digest, Line, Orders, Part
from core.journal.events import Event, Kind
from core.journal.opening import Identity
from core.journal.store import Durability, open_journal
from tests.tui import rows
from tests.tui.conftest import running
from tests.tui.fake_engine import read_clocks
from tui.arming import ARM_NS, Arming
from tui.digest_words import Figures, away, digest_lines
from tui.returning import SAVE_EVERY_NS, Record, Returning
from tui.tables import Now

NOW = Now(1_000 * rows.S, rows.WORLD_MS)
SINCE = Seen("", 7, NOW.wall_ms - 8_040_000, "me", 462_350_000, -3_100_000, None)


def digest(**parts: Part) -> Digest:
    none = {name: Part(0, ()) for name in PARTS}
    return Digest(9, 0, Money(330_000), Orders(14, 9, 5, 3, 2, 1, 0, 1), Cards(9, 3, 2, 4, 0), none | parts)


def lines(told: Digest, width: int = 76) -> list[tuple[str, str]]:
    return list(digest_lines(SINCE, told, Figures(458_100_000, -2_020_000, 340_000), width))


def test_money_orders_and_cards_come_first_and_what_is_not_known_is_not_0() -> None:
    assert away(SINCE, NOW.wall_ms) == "You were away 2h, from Nov 22 11:48Z to Nov 22 14:02Z."
    said = [text for text, _ in lines(digest())]
    assert said[0] == "cash      462.35 ->     458.10   -4.25"
    assert said[1] == "today      -3.10 ->      -2.02   +1.08"
    assert said[2].endswith("+0.34   --") and "0.00" not in said[2]
    assert " ".join(said[3:5]).startswith("orders  14 placed (9 by the engine alone), 5 filled, 3 cancelled")
    assert ("        1 without proof of their fate", "alarm") in lines(digest())
    assert "cards   9 offered, 3 approved, 2 vetoed, 4 expired, 0 withdrawn" in said
    assert "FILLS" not in "".join(said), "an empty part is left out"


def test_two_days_results_are_not_taken_from_each_other() -> None:
    text, role = lines(msgspec.structs.replace(digest(), days=1))[1]
    assert text == "today      -3.10 |       -2.02   a new day has begun" and role == "text"


def test_unseen_alarms_stand_out_and_no_line_is_wider_than_asked() -> None:
    rang = (Line(NOW.wall_ms, "ACT KAL: lost"), Line(NOW.wall_ms, f"CHECK \u202e{'old ' * 40}", seen=False))
    told = lines(digest(alarms=Part(3, rang), fills=Part(90, (Line(NOW.wall_ms, "bought YES"),))), 60)
    assert ("ALARMS 3, 1 unseen", "title") in told
    assert ("FILLS 90, fees 0.33, the newest 1", "title") in told
    (unseen, role), *_ = [row for row in told if "! CHECK" in row[0]]
    assert role == "alarm" and "\u202e" not in unseen
    assert max(len(text) for text, _ in told) <= 60


def test_what_was_seen_is_private_atomic_and_unreadable_means_never(tmp_path: Path) -> None:
    path = tmp_path / "seen.json"
    assert read_seen(path) is None
    write_seen(path, SINCE)
    assert read_seen(path) == SINCE and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["seen.json"]
    damaged = ({"seq": -1}, {"seq": 2**63}, {"seq": 10**30}, {"wall_ms": -1}, {"wall_ms": 10**18})
    whole = msgspec.to_builtins(SINCE)
    for text in (b'{"seq": ', *(msgspec.json.encode(whole | wrong) for wrong in damaged)):
        path.write_bytes(text)
        assert read_seen(path) is None, text


class Console:
    """Stands where the console stands: what it was asked to do, without a terminal."""

    def __init__(self, *, controls: bool = True, seq: int = 12) -> None:
        status = rows.status(NOW, session="me")
        journal = [SimpleNamespace(seq=seq, kind="FILL", text="bought")]
        self.view = SimpleNamespace(journal=journal, status=status, unseen=False, working=list, held=list)
        self.arming = SimpleNamespace(unread=False, release=self._release)
        self.said: list[str] = []
        self.operator = SimpleNamespace(
            say=lambda text, *_: self.said.append(text), controls=controls, arming=self.arming
        )
        self.work: list[Any] = []
        self.screens: list[Any] = []
        self.screen_name = "desk"
        self.conversation = SimpleNamespace(close=lambda: None)

    def _release(self, now_ns: int) -> None:
        self.arming.unread = False

    def clock(self) -> Now:
        return NOW

    def run_worker(self, work: Any, **_: Any) -> None:
        self.work.append(work)

    def push_screen(self, screen: Any) -> None:
        self.screens.append(screen)

    def repaint(self) -> None: ...


async def journal_of(path: Path, *events: Event, clock: Clock | None = None) -> None:
    log = open_journal(
        path,
        Identity("w", "demo", "1", "b", "r"),
        clock or SystemClock(),
        durability=Durability.NORMAL,
        on_fault=lambda fault: None,
    )
    for event in events:
        log.append(event)
    await log.close()


def past(directory: Path) -> Record:
    return Record(directory / "seen.json", lambda world: directory / "journal.db")


def returning(console: Console, record: Record) -> Returning:
    return Returning(console, record)  # type: ignore[arg-type]  # what it needs of a console


async def finish(console: Console) -> None:
    for work in console.work:
        await work
    console.work.clear()


def world() -> str:
    return rows.status(NOW, session="me").world_id


async def test_nothing_arms_or_counts_as_seen_until_what_happened_is_read(tmp_path: Path) -> None:
    halted = Event(Kind.RESUME, {"text": "resumed by her"}, actor="console pid 9 (uid 0)")
    await journal_of(tmp_path / "journal.db", Event(Kind.FAIR), halted)
    record, console = past(tmp_path), Console()
    write_seen(record.seen, Seen(world(), 1, NOW.wall_ms - 60_000))
    one = returning(console, record)
    one.saw(NOW)
    assert one.unread and console.arming.unread, "at once, before anything was read"
    await finish(console)
    assert one.told is not None and one.told.digest.parts["halts"].count == 1
    assert len(console.screens) == 1 and console.arming.unread
    one.saw(NOW._replace(mono_ns=NOW.mono_ns + 2 * SAVE_EVERY_NS))
    await one.save()
    await finish(console)
    assert read_seen(record.seen).seq == 1, "a console that dies now tells it again"  # type: ignore[union-attr]

    one.read(NOW)
    assert not one.unread and not console.arming.unread
    one.saw(NOW._replace(mono_ns=NOW.mono_ns + 4 * SAVE_EVERY_NS))
    await finish(console)
    assert read_seen(record.seen).seq == 12  # type: ignore[union-attr]


@pytest.mark.parametrize("case", ["quiet", "first", "other world", "just now", "others", "no journal"])
async def test_where_there_is_nothing_to_tell_no_page_stands_in_the_way(tmp_path: Path, case: str) -> None:
    record, console = past(tmp_path), Console(controls=case != "others")
    kind = Kind.LINK if case == "quiet" else Kind.RESUME
    if case != "no journal":
        await journal_of(tmp_path / "journal.db", Event(Kind.FAIR), Event(kind, {"text": "lost"}))
    if case != "first":
        ago_ms = 5_000 if case == "just now" else 60_000
        write_seen(record.seen, Seen("other" if case == "other world" else world(), 1, NOW.wall_ms - ago_ms))
    one = returning(console, record)
    one.saw(NOW)
    await finish(console)
    assert not one.unread and not console.arming.unread and not console.screens
    told = [text for text in console.said if "cannot be told" in text]
    assert len(told) == (case == "no journal")


async def test_only_a_console_in_control_notes_what_was_seen(tmp_path: Path) -> None:
    record = past(tmp_path)
    viewer = Console(controls=False)
    one = returning(viewer, record)
    one.saw(NOW)
    await one.save()
    assert read_seen(record.seen) is None
    stalled = Console()
    stalled.view.unseen = True
    one = returning(stalled, record)
    one.saw(NOW)
    await one.save()
    assert read_seen(record.seen) is None, "a terminal that shows nothing has shown nothing"


async def test_a_folder_that_cannot_be_written_is_said_once(tmp_path: Path) -> None:
    console = Console()
    one = returning(console, Record(tmp_path / "none" / "seen.json", lambda world: tmp_path))
    for later in range(3):
        one.saw(NOW._replace(mono_ns=NOW.mono_ns + later * SAVE_EVERY_NS, wall_ms=NOW.wall_ms + later))
        await finish(console)
    assert len([text for text in console.said if "cannot be written" in text]) == 1


async def test_a_console_that_comes_back_reads_first_and_approves_then(directory: Path) -> None:
    """The whole way: a lost line, a fill meanwhile, the page, Esc, and only then the card."""
    resumed = Event(Kind.RESUME, {"text": "resumed by her"})
    await journal_of(directory / "journal.db", Event(Kind.FAIR), resumed)
    write_seen(directory / "seen.json", Seen(world(), 1, read_clocks().wall_ms - 7_200_000))
    async with running(directory, size=(120, 36), record=past(directory), ready="resumed by her") as desk:
        assert "You were away 2h" in desk.text
        await desk.press("a", "1")
        await desk.shows("Esc leaves this page first")
        assert desk.app.operator.arming.unread and not desk.sent(Approve)
        await desk.press("escape")
        await desk.shows(" ARMED ")
        await desk.press("colon", *"since", "enter")
        await desk.shows("resumed by her")
        await desk.press("2")
        await desk.shows("MARKETS")


def test_no_card_arms_before_it_is_read_and_the_arming_time_begins_then() -> None:
    arming, card = Arming(), rows.card(NOW, expires_ns=NOW.mono_ns + 60 * rows.S)
    arming.select(card, NOW.mono_ns)
    arming.drawn(whole=True, now_ns=NOW.mono_ns)
    later = NOW.mono_ns + 5 * ARM_NS
    assert arming.word(card, later, lag=False, controls=True) == "ARMED"
    arming.unread = True
    assert arming.word(card, later, lag=False, controls=True) == "ARMING"
    assert arming.refusal(card, later, later, lag=False, controls=True) == "not armed yet"
    arming.release(later)
    assert arming.word(card, later + ARM_NS - 1, lag=False, controls=True) == "ARMING"
    assert arming.word(card, later + ARM_NS, lag=False, controls=True) == "ARMED"

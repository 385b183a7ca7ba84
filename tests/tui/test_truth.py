"""What a person sees of record against venue, of foreign orders and of alarms, at every size."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest

from core.control.protocol import Accept, Acknowledge, Approve, Flatten, Resolve
from core.control.tables.account import JournalRow
from core.control.tables.safety import AlarmRow
from tests.tui import rows
from tests.tui.conftest import Desk, running
from tests.tui.fake_engine import read_clocks
from tests.tui.test_screens import SIZES, checked_lines
from tui.keymap import keymap
from tui.ladder import QUIET_NS
from tui.lines import plain
from tui.widgets.alarms import clears_lines
from tui.widgets.line_pane import LinePane


@pytest.mark.parametrize("size", SIZES)
async def test_differences_are_on_the_orders_screen_with_both_numbers_and_their_age(
    directory: Path, size: tuple[int, int]
) -> None:
    async with running(directory, size=size) as desk:
        now = read_clocks()
        await desk.press("3")
        await desk.shows("Our record and the venue's agree.")
        fill = rows.difference(
            now, "R2", about="fill", subject="T-99182ab", ours="15.00", theirs="no such fill", acted=False
        )
        desk.engine.send(reading=rows.reading(now, rows.difference(now), fill))
        await desk.shows("RECONCILE 2 differ, read ")
        text = "\n".join(checked_lines(desk))
        for words in (
            "R9!",
            "CHI hi Nov23 41-42",
            "30.00",
            "33.00",
            "venue HALTED",
            "R2 ",
            "no such fill",
            "then ",
        ):
            assert words in text, words
        assert re.search(r"\b(1[4-9]|2\d)s\b", text), "how old the difference is, from 14 s on"
        assert "no fill explains it; :reconcile accept KXHIGHCHI-26NOV23-B41-42" in text
        desk.engine.send(reading=rows.reading(now))
        await desk.shows("RECONCILE agrees, read ")


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
async def test_what_happened_last_in_its_market_stands_below_a_position_that_differs(
    directory: Path, size: tuple[int, int]
) -> None:
    async with running(directory, size=size) as desk:
        now = read_clocks()
        await desk.press("3")
        await desk.shows("DONE TODAY")
        events = tuple(
            JournalRow(n, now.wall_ms, "FILL", f"bought {n} @ 45c", "pm-1") for n in range(101, 111)
        )
        desk.engine.send(reading=rows.reading(now, rows.difference(now, events=events)))
        await desk.shows("LAST 10 EVENTS")
        await desk.until(lambda: "bought 101 @ 45c" in desk.text and "bought 110 @ 45c" in desk.text, "all")
        checked_lines(desk)
        desk.engine.send(reading=rows.reading(now))
        await desk.shows("DONE TODAY")
        assert "LAST 10" not in desk.text


async def test_a_reading_that_failed_is_not_agreement(directory: Path) -> None:
    async with running(directory) as desk:
        failed = msgspec.structs.replace(rows.reading(read_clocks()), complete=False, reason="fills: timeout")
        await desk.press("3")
        desk.engine.send(reading=failed)
        await desk.shows("RECONCILE INCOMPLETE fills: timeout")
        assert "agree" not in desk.text
        desk.engine.send(reading=msgspec.structs.replace(failed, complete=True, doubt="the reconnect"))
        await desk.shows("No entries before a reading that agrees: the reconnect.")


async def test_orders_from_outside_stand_out(directory: Path) -> None:
    async with running(directory) as desk:
        now = read_clocks()
        theirs = rows.order(now, client_order_id="hand-x1", external=True, state="EXT", key=10)
        desk.engine.send(orders=(theirs,))
        await desk.press("3")
        await desk.shows("EXT")


def alarm(number: int, **changes: object) -> AlarmRow:
    now = read_clocks()
    values: dict[str, object] = {
        "id": number,
        "level": "ACT",
        "since_world_ms": rows.WORLD_MS,
        "since_ns": now.mono_ns - 9 * rows.S,
        "what": f"thing {number} is wrong",
        "effect": "that market is halted",
        "clears": "resume",
        "acknowledged": False,
        "active": True,
    }
    return AlarmRow(**(values | changes))  # type: ignore[arg-type]  # a test's table of fields


def test_the_line_below_the_alarms_says_what_it_is() -> None:
    (short,) = clears_lines(
        alarm(1, what="METEO DOWN", effect="no entries", clears="its next good answer"), 90
    )
    assert plain(short).strip() == "clears: its next good answer"
    cut = clears_lines(alarm(1, what="long " * 20, clears="resume"), 90)
    told = " ".join(plain(row).strip() for row in cut)
    assert told.startswith("long long") and told.endswith("clears: resume")
    (way_out,) = clears_lines(alarm(1, what="long " * 40, clears="resume"), 90, 2)
    assert plain(way_out).strip() == "clears: resume", "what does not fit is no reason to cut the way out"
    (once,) = clears_lines(alarm(1, what="Stale", effect="", clears="Clears by itself"), 90)
    assert plain(once).strip() == "clears: by itself"


@pytest.mark.parametrize("size", SIZES)
async def test_the_alarms_screen_says_who_has_seen_what(directory: Path, size: tuple[int, int]) -> None:
    async with running(directory, size=size) as desk:
        desk.engine.send(
            alarms=(
                alarm(11),
                alarm(12, acknowledged=True),
                alarm(13, active=False),
                alarm(14, level="CHECK"),
            )
        )
        await desk.press("exclamation_mark")
        await desk.shows("unseen, over")
        lines = checked_lines(desk)
        listed = [text.lstrip(" >") for text in lines]
        shown = [text for text in listed if " is wrong" in text and text[:2].isdigit()]
        assert [text.split()[0] for text in shown] == ["11", "13", "14", "12"], "what is unseen comes first"
        text = "\n".join(lines)
        assert "that market is halted" in text and "clears" in text and "resume" in text
        await desk.press("down", "space")
        (sent,) = desk.sent(Acknowledge)
        assert sent.alarm_id == 13


async def test_the_command_line_opens_both(directory: Path) -> None:
    async with running(directory) as desk:
        for typed, words in (("alarms", "ALARMS 2"), ("orders", "RECONCILE")):
            await desk.press("colon", *typed, "enter")
            await desk.shows(words)


# --- the other side ---------------------------------------------------------------------------------

OTHER = {"row": "R10", "ours": "30.00", "theirs": "-12.00", "halts": "global HALTED"}
BOTH_SIZES = [(80, 24), (160, 45)]


def halted(number: int = 21, **changes: object) -> AlarmRow:
    return alarm(number, what="desk: position", effect="the desk is halted", scope="desk", **changes)


async def test_what_cannot_be_sold_yet_or_waits_on_the_venues_page_stands_beside_its_position(
    directory: Path,
) -> None:
    async with running(directory, size=(140, 40)) as desk:
        held = msgspec.structs.replace(rows.positions()[0], unsettled=4_000_000)
        won = msgspec.structs.replace(
            rows.positions()[1], net=0, redeemable=7_000_000, page="https://v.example"
        )
        await desk.press("4")
        desk.engine.send(positions=(held, won))
        await desk.shows("4 provisional, not to be sold before they are confirmed")
        await desk.shows("7 to redeem by hand")
        await desk.shows(" https://v.example ")


@pytest.mark.parametrize("size", BOTH_SIZES)
async def test_a_position_that_differs_is_in_the_status_bar_on_every_screen(
    directory: Path, size: tuple[int, int]
) -> None:
    async with running(directory, size=size) as desk:
        now = read_clocks()
        assert "MISMATCH" not in desk.text
        desk.engine.send(reading=rows.reading(now, rows.difference(now, acted=False)))
        for key in ("1", "2", "8"):
            await desk.press(key)
            await desk.until(lambda: " MISMATCH " in desk.text.splitlines()[0], "in the status bar")
        waits = rows.difference(now, "R11")
        lists = rows.difference(now, "R2", about="fill", subject="T-1")
        desk.engine.send(reading=rows.reading(now, waits, lists))
        await desk.until(lambda: "MISMATCH" not in desk.text.splitlines()[0], "gone from the status bar")


@pytest.mark.parametrize("size", BOTH_SIZES)
async def test_the_other_side_takes_the_screen_until_it_is_acknowledged(
    directory: Path, size: tuple[int, int]
) -> None:
    async with running(directory, size=size) as desk:
        now = read_clocks()
        shown = rows.reading(now, rows.difference(now, **OTHER, acted=False))
        desk.engine.send(reading=shown, alarms=(alarm(20, scope="desk"),))
        await desk.shows("MISMATCH")
        assert "OTHER SIDE" not in desk.text, "a list that lags is no incident"
        await desk.press("colon", "r", "e")
        desk.engine.send(reading=rows.reading(now, rows.difference(now, **OTHER)), alarms=(halted(),))
        await desk.shows("THE VENUE HOLDS THE OTHER SIDE")
        text = "\n".join(checked_lines(desk))
        for words in ("CHI hi Nov23 39-40", "we say 30.00   the venue says -12.00", "^X STOP", "MISMATCH"):
            assert words in text, words
        assert "BUY YES" not in text and "MARKETS" not in text, "nothing else is on the screen"
        await desk.press("s", "space", "a", "q", "3", "escape")
        await desk.pilot.pause()
        assert not desk.sent(Acknowledge) and not desk.sent(Approve), "typing on does nothing"
        assert "OTHER SIDE" in desk.text
        await quiet(desk)
        await desk.press("space")
        await desk.until(lambda: desk.sent(Acknowledge), "acknowledged")
        assert desk.sent(Acknowledge)[0].alarm_id == 21
        assert "OTHER SIDE" in desk.text, "it is seen when the engine says so"
        desk.engine.send(alarms=(halted(acknowledged=True),))
        await desk.shows("Acknowledged. any key leaves")
        await desk.press("z")
        await desk.shows("NYC hi Nov23 48-49")
        assert "OTHER SIDE" not in desk.text and "MISMATCH" in desk.text
        desk.engine.send(alarms=(halted(22),))
        await desk.shows("THE VENUE HOLDS THE OTHER SIDE")


async def test_what_takes_the_screen_is_acknowledged_by_its_key_in_the_map(directory: Path) -> None:
    own = keymap({"alarm.acknowledge": "F6", "screen.orders": "F7"})
    async with running(directory, keymap=own) as desk:
        now = read_clocks()
        desk.engine.send(reading=rows.reading(now, rows.difference(now, **OTHER)), alarms=(halted(),))
        await desk.shows("F6 acknowledges it")
        assert "F7 shows what differs" in " ".join(desk.text.split())
        await quiet(desk)
        await desk.press("space")
        await quiet(desk)
        assert not desk.sent(Acknowledge)
        await desk.press("f6")
        await desk.until(lambda: desk.sent(Acknowledge), "acknowledged")


async def test_the_other_side_never_stands_between_the_operator_and_the_stop(directory: Path) -> None:
    async with running(directory) as desk:
        now = read_clocks()
        desk.engine.send(reading=rows.reading(now, rows.difference(now, **OTHER)), alarms=(halted(),))
        await desk.shows("THE VENUE HOLDS THE OTHER SIDE")
        await desk.press("ctrl+x")
        await desk.until(lambda: desk.sent(Flatten), "stop sent")
        desk.engine.send(flatten=rows.flatten(now, phase="CANCELLING"))
        await desk.shows("STOPPING")
        assert "OTHER SIDE" not in desk.text, "the ladder's keys come first"


async def test_a_console_that_cannot_acknowledge_can_leave(directory: Path) -> None:
    async with running(directory, keymap=keymap({"leave": ["q", "F10"]})) as desk:
        now = read_clocks()
        desk.engine.send(status=rows.status(now, session="another"))
        desk.engine.send(reading=rows.reading(now, rows.difference(now, **OTHER)), alarms=(halted(),))
        await desk.shows("only the console in control acknowledges it")
        await quiet(desk)
        await desk.press("space")
        await desk.shows("NYC hi Nov23 48-49")
        assert not desk.sent(Acknowledge)
        left: list[bool] = []
        desk.app.leave = lambda: left.append(True)  # type: ignore[method-assign]
        desk.engine.send(alarms=(halted(22),))
        await desk.shows("only the console in control acknowledges it")
        await desk.press("q")
        assert not left, "q may be typed on"
        await desk.press("f10")
        assert left


async def quiet(desk: Desk) -> None:
    """Let the console's clock, not the test's, pass the time without any key."""
    desk.app.operator.takeover._last_key_ns -= QUIET_NS


async def test_a_market_that_is_gone_says_so_where_its_edge_was(directory: Path) -> None:
    async with running(directory) as desk:
        (first, *_) = rows.markets(read_clocks())
        desk.engine.send(markets=(msgspec.structs.replace(first, status="delisted"),))
        await desk.until(lambda: " gone " in desk.app.screen.query_one("#markets", LinePane).text, "gone")


def account_line(about: str, agreement: str, **changes: str) -> dict[str, str]:
    line = {"venue": "kalshi", "ticker": "", "subject": "", "ours": "5.00", "theirs": "5.00"}
    return line | {"about": about, "agreement": agreement} | changes


async def test_cash_that_the_venue_holds_back_for_orders_is_not_said_to_agree(directory: Path) -> None:
    async with running(directory, size=(80, 24)) as desk:
        line = account_line("cash", "explained", ours="500.00", theirs="491.32")
        desk.engine.answers["account"] = json.dumps([line]).encode()
        await desk.press("3")
        await desk.shows("491.32")
        told = next(row for row in desk.text.splitlines() if "491.32" in row)
        assert told.split() == ["=", "cash", "500.00", "491.32", "held", "back"]


async def test_the_account_stands_line_by_line_and_what_asks_for_a_person_is_answered_from_its_row(
    directory: Path,
) -> None:
    async with running(directory, size=(80, 24)) as desk:
        now = read_clocks()
        ticker = rows.difference(now).ticker
        desk.engine.answers["account"] = json.dumps(
            [
                account_line("cash", "agrees", ours="462.35", theirs="462.35"),
                account_line("position", "agrees", ticker="KX\u202eODD"),
                account_line("order", "moved", ticker=ticker, subject="pm-91c7", theirs="not listed"),
                account_line("position", "differs", ticker=ticker),
            ]
        ).encode()
        await desk.press("3")
        await desk.shows("462.35")
        text = "\n".join(checked_lines(desk))
        assert text.index("moved since") < text.index("462.35"), "what does not agree comes first"
        assert "\u202e" not in text and "pos   KXODD" in text and "agrees" in text
        desk.engine.send(reading=rows.reading(now, rows.difference(now)))
        await desk.shows("R9!")
        await desk.press("tab", "enter")
        await desk.shows("becomes ours, without a trade.")
        assert not desk.sent(Accept)
        await desk.press(*"accept", "enter", *"counted", "enter")
        await desk.until(lambda: desk.sent(Accept), "accepted")
        (accept,) = desk.sent(Accept)
        assert (accept.what, accept.confirm, accept.reason) == (ticker, "accept", "counted")

        order = next(row for row in rows.orders(now) if row.ended_ns is None)
        desk.engine.send(orders=(msgspec.structs.replace(order, state="UNKNOWN"),))
        await desk.shows("UNKNOWN")
        await desk.press("shift+tab", "home", "enter")
        await desk.shows("never arrived; what it reserved is free")
        await desk.press(*"resolve", "enter", *"seen", "enter")
        await desk.until(lambda: desk.sent(Resolve), "resolved")
        (resolve,) = desk.sent(Resolve)
        assert (resolve.order, resolve.found) == (order.client_order_id, "")

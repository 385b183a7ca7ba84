"""Two venues on one console: each with its own ways in words, and nothing of it on a desk of one."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from core.control.protocol import ConfirmSource, Query
from core.control.tables.status import LinkRow
from tests.tui import rows
from tests.tui.conftest import Desk, running
from tests.tui.fake_engine import read_clocks
from tests.tui.test_screens import SIZES, checked_lines
from tui.format import fit_name
from tui.widgets.line_pane import LinePane
from tui.widgets.live_table import plan
from tui.widgets.market_table import COLUMNS

BOTH = [(80, 24), (200, 50)]


def pane(desk: Desk, name: str) -> list[str]:
    return [text.strip("│ ") for text in desk.app.screen.query_one(f"#{name}", LinePane).text.splitlines()]


def whole(desk: Desk) -> str:
    """What is on screen as running text, however it is wrapped."""
    return " ".join(desk.text.replace("│", "").split())


def test_a_wide_table_shows_as_much_of_the_venues_own_name_as_there_is_room_for() -> None:
    for width in (158, 170, 178):
        columns = plan(COLUMNS, width)
        assert columns[-1].name == "id" and sum(column.width for column in columns) == width
    slug = "highest-temperature-in-chicago-on-november-23-2026-48-49f"
    assert plan(COLUMNS, 240)[-1].width >= len(f"  {slug}")


def told(desk: Desk, **changes: object) -> None:
    """The second venue's row of the status changes."""
    now = read_clocks()
    kal = LinkRow("kalshi", "ok", now.mono_ns, "", None)
    links = (kal, rows.poly_link(now, **changes))
    desk.engine.send(status=rows.status(now, session=desk.engine.session, links=links))


async def test_an_order_in_a_market_that_left_the_desk_keeps_a_name(directory: Path) -> None:
    async with running(directory, both=True) as desk:
        ended = {"state": "FILLED", "leaves": 0, "ended_ns": read_clocks().mono_ns, "venue": "kalshi"}
        gone = rows.order(read_clocks(), client_order_id="pm-old", key=0, ticker="KXLOWTDAL-22", **ended)
        desk.engine.send(orders=(gone,))
        await desk.press("3")
        await desk.shows("K KXLOWTDAL-22")
        assert "market 0" not in desk.text


@pytest.mark.parametrize("size", SIZES)
async def test_the_events_of_two_venues_are_told_apart_among_the_models(
    directory: Path, size: tuple[int, int]
) -> None:
    async with running(directory, size=size, both=True) as desk:
        (ours,) = [event for event in rows.events() if event.event == "NYC"]
        (bracket, *_) = ours.brackets
        theirs = msgspec.structs.replace(bracket, key=rows.POLY_KEY)
        desk.engine.send(events=(msgspec.structs.replace(ours, event="poly-nyc", brackets=(theirs,)),))
        await desk.press("5")
        await desk.shows("MODELS 4 events")
        there = [text.strip("> ").split()[:3] for text in pane(desk, "events") if "NYC high" in text]
        assert sorted(row[0] for row in there) == ["K", "P"]


@pytest.mark.parametrize("size", SIZES)
async def test_every_row_names_its_venue_and_the_parts_of_a_position_stand_apart(
    directory: Path, size: tuple[int, int]
) -> None:
    async with running(directory, size=size, both=True) as desk:
        await desk.shows("P NYC hi Nov23 48-49")
        assert "K NYC hi Nov23 48-49" in desk.text
        await desk.press("2")
        await desk.until(
            lambda: re.search(r"P \.\.[a-z-]+2026-meeting |P \.\.2026-meeting ", desk.text), "its end"
        )
        await desk.press("3")
        await desk.shows("PROVISIONAL")
        assert "REVERSED" in whole(desk)
        await desk.press("4")
        await desk.shows("VENUES 2")
        header, *held = pane(desk, "positions")[1:]
        (there,) = [dict(zip(header.split(), text.replace("NYC hi Nov23 48-49", "m").split(), strict=False))
                    for text in held if text.startswith("P NYC")]  # fmt: skip
        assert (there["qty"], there["prov"], there["sell"]) == ("10", "4", "6")
        if size[0] >= 120:
            assert (there["conf"], there["fail"]) == ("6", "3")
        text = whole(desk)
        assert "POLY NYC hi Nov23 48-49: 4 provisional, not to be sold before they are confirmed" in text
        assert "3 FAILED to settle and reversed" in text
        for row in ("2026-meeting", "dust"):
            assert row in text


async def test_what_is_done_by_hand_comes_with_a_page_that_can_be_copied_whole(directory: Path) -> None:
    async with running(directory, size=(80, 24), both=True) as desk:
        await desk.press("4", "end")
        await desk.until(lambda: "2 pairs to merge by hand; 7 to redeem by hand" in whole(desk))
        assert rows.PAGE in [text.strip() for text in checked_lines(desk)]
        await desk.press("up")
        await desk.until(lambda: "2 under its smallest order, not sellable until resolution" in whole(desk))
        assert rows.PAGE not in desk.text


async def test_a_desk_of_one_venue_has_none_of_it(directory: Path) -> None:
    async with running(directory, size=(200, 50)) as desk:
        for screen in "1234":
            await desk.press(screen)
            await desk.shows({"2": "MARKETS", "3": "RECONCILE", "4": "exit rule"}.get(screen, "LIMITS"))
            headers = [text.split() for text in checked_lines(desk) if " market " in text]
            assert not {"V", "conf", "prov", "sell", "order"} & {word for words in headers for word in words}
            assert "VENUES" not in desk.text and "beat" not in desk.text and "KAL NYC" not in desk.text


@pytest.mark.parametrize("size", BOTH)
async def test_missed_beats_say_what_stops_and_when_the_orders_end(
    directory: Path, size: tuple[int, int]
) -> None:
    async with running(directory, size=size, both=True) as desk:
        await desk.press("4")
        await desk.until(lambda: any("own expiry" in text and "KAL" in text for text in pane(desk, "venues")))
        await desk.until(lambda: any(" beat " in text for text in pane(desk, "venues")))
        now, why = read_clocks(), "2 heartbeats were missed"
        told(desk, beat=rows.beat(now, ends_ns=now.mono_ns + 4 * rows.S, missed=2, why=why))
        await desk.until(lambda: " NO BEAT " in desk.text.splitlines()[0], "in the status bar")
        await desk.until(
            lambda: f"POLY {why}: no entries there, the venue ends every order of ours in 0:0" in whole(desk)
        )
        told(
            desk, beat=rows.beat(now, ends_ns=now.mono_ns - rows.S, missed=3, why="3 heartbeats were missed")
        )
        await desk.until(lambda: "the venue ends every order of ours now, or has done so" in whole(desk))
        told(desk, beat=rows.beat(now, ends_ns=None, why="the venue's dead-man switch is not armed"))
        await desk.until(lambda: "NO BEAT YET" in desk.text.splitlines()[0])
        checked_lines(desk)


@pytest.mark.parametrize("size", BOTH)
async def test_a_venues_own_mode_and_what_holds_it_back_are_said_in_its_words(
    directory: Path, size: tuple[int, int]
) -> None:
    async with running(directory, size=size, both=True) as desk:
        await desk.press("4")
        opens = read_clocks().wall_ms + 45_000
        told(desk, state="PAUSED", detail="post-only after a restart", opens_wall_ms=opens)
        await desk.until(lambda: "POLY PAUSED 0:4" in " ".join(desk.text.splitlines()[0].split()))
        await desk.until(lambda: "POLY post-only after a restart 0:4" in whole(desk))
        held = "REDUCE_ONLY: the venue lets this account only reduce (closed-only)"
        told(desk, halt=held)
        await desk.until(lambda: f"POLY {held}" in whole(desk))
        assert any("REDUCE_ONLY" in text and "POLY" in text for text in pane(desk, "venues"))


@pytest.mark.parametrize("size", BOTH)
async def test_both_accounts_stand_beside_each_other_and_a_difference_names_its_own(
    directory: Path, size: tuple[int, int]
) -> None:
    async with running(directory, size=size, both=True) as desk:
        await desk.press("3")
        now = desk.stand()
        desk.engine.send(reading=rows.two_readings(now))
        await desk.shows("RECONCILE  KAL agrees 3s ago  POLY agrees 3s ago")
        cash = rows.difference(now, "R13", about="cash", key=0, ticker="", venue="polymarket")
        desk.engine.send(reading=rows.two_readings(now, cash))
        await desk.shows("POLY 1 differs 3s ago")
        assert any(text.split()[:3] == ["R13!", "P", "cash"] for text in checked_lines(desk))
        unread = rows.two_readings(now, complete=False, reason="trades: timeout")
        desk.engine.send(reading=msgspec.structs.replace(unread, complete=False))
        await desk.shows("Nothing was compared on POLY (trades: timeout); it is read again.")
        await desk.shows("KAL agrees 3s ago  POLY INCOMPLETE")


@pytest.mark.parametrize("size", BOTH)
async def test_a_stop_shows_each_venues_own_end(directory: Path, size: tuple[int, int]) -> None:
    async with running(directory, size=size, both=True) as desk:
        now = read_clocks()
        desk.engine.send(flatten=rows.two_ladders(now))
        await desk.shows("STOP LADDER")
        table = pane(desk, "stop")
        assert table[3].split()[0] == "KAL" and table[4] == "FLAT"
        assert table[5].split()[0] == "POLY"
        assert table[6].startswith("EXITING   post-only after a restart, opens in 0:4")
        band = desk.text.splitlines()[0]
        assert "KAL" in band and "left 0 " in band and band.rstrip().endswith("left 10")
        over = "KAL FLAT, cost 0.31. POLY UNFLATTENED, 10 left"
        ended = msgspec.structs.replace(rows.two_ladders(now).venues[1], phase="UNFLATTENED", pause="")
        desk.engine.send(
            status=rows.status(now, session=desk.engine.session, level="LOCKED", level_reason="flatten"),
            flatten=rows.two_ladders(
                now, phase="UNFLATTENED", venues=(rows.two_ladders(now).venues[0], ended), receipt=over
            ),
        )
        await desk.until(lambda: over in whole(desk))
        assert pane(desk, "stop")[4] == "FLAT" and pane(desk, "stop")[6] == "UNFLATTENED"


async def test_an_orders_sentence_names_its_hash_and_what_can_still_be_undone(directory: Path) -> None:
    async with running(directory, size=(200, 50), both=True) as desk:
        await desk.press("3")
        await desk.shows("0x9f3c51..f811")
        await desk.press("tab", "tab", "home", "enter")
        await desk.shows("10/10 @ 44c worth 4.40, filled at 44.0c, fee 0.00, 4 provisional, expires")
        await desk.shows("POLY order 0x9f3c51..f811")


async def test_a_label_that_stands_alone_names_its_venue(directory: Path) -> None:
    async with running(directory, size=(120, 36), both=True) as desk:
        await desk.shows("2 KAL NYC hi Nov24 50-51")
        await desk.press("4")
        await desk.shows(" K NYC high Nov 23 ")
        await desk.press("2", "down", "enter")
        await desk.shows("MARKET POLY NYC hi Nov23 48-49")


async def test_what_only_waits_on_a_page_is_not_called_held(directory: Path) -> None:
    async with running(directory, size=(80, 24), both=True) as desk:
        await desk.shows("POSITIONS 7")
        working = tuple(desk.app.view.orders)
        held = tuple(key for key in desk.app.view.positions if key != rows.GONE_KEY)
        desk.engine.send(gone_orders=working, gone_positions=held)
        await desk.shows("POSITIONS 1")
        await desk.shows("No working orders, read ")


async def test_the_venues_own_word_for_an_order_is_its_state(directory: Path) -> None:
    async with running(directory, size=(80, 24), both=True) as desk:
        await desk.press("3")
        await desk.shows("PROVISIONAL")
        now = read_clocks()
        for word in ("delayed", "unmatched"):
            desk.engine.send(orders=(rows.order(now, key=rows.POLY_KEY, venue="polymarket", said=word),))
            await desk.shows(f"  {word.upper()}")


async def test_the_rules_of_a_market_are_read_on_the_console(directory: Path) -> None:
    async with running(directory, size=(80, 24), both=True) as desk:
        hostile = "Settles by [b]NWS[/b] \x1b[2J at KNYC. " + "It is read once. " * 60 + "The end."
        rules = {"ticker": rows.SLUG, "venue": "polymarket", "hash": "ab" * 32, "pinned": "cd" * 32}
        desk.engine.answers[rows.SLUG] = msgspec.json.encode(
            rules | {"text": hostile, "series": "KX", "waits": "trading waits for you", "mark": "3f2a91c0"}
        )
        await typed(desk, f"rules {rows.SLUG}")
        await desk.shows("RULES NYC hi Nov23 48-49")
        (asked,) = desk.sent(Query)
        assert (asked.what, asked.about) == ("rules", rows.SLUG)
        text = whole(desk)
        assert "POLY highest-temperature-in-nyc-on-november-23-48-49f text abababab" in text
        assert "Reads differently: the text that counts on this desk is cdcdcdcd." in text
        assert "Trading waits for you." in text and ":confirm source KX 3f2a91c0" in text
        assert "Settles by [b]NWS[/b]" in text and all(char.isprintable() for char in text)
        await desk.press("pagedown", "pagedown", "end")
        await desk.shows("The end.")
        await desk.press("escape")
        await desk.shows("MARKETS")
        await typed(desk, "rules nothing")
        await desk.shows("rules -> refused")
        await desk.shows("not on the desk")
        await typed(desk, "confirm source kx 3f2a91c0")
        confirmed = await desk.engine.expect(ConfirmSource)
        assert (confirmed.series, confirmed.mark) == ("KX", "3f2a91c0")  # type: ignore[attr-defined]
        await typed(desk, "confirm it now please")
        await desk.shows("usage: confirm source SERIES MARK")
        await typed(desk, "rules")
        await desk.shows("usage: rules MARKET")


async def typed(desk: Desk, text: str) -> None:
    keys = {" ": "space", "-": "minus"}
    await desk.press("colon", *(keys.get(char, char) for char in text), "enter")


def test_a_name_without_blanks_keeps_its_end_from_a_whole_word_on() -> None:
    slug = "highest-temperature-in-nyc-on-november-23-48-49f"
    assert fit_name(slug, 18) == "..23-48-49f       "
    assert fit_name(slug, len(slug)) == slug
    assert fit_name("KXHIGHNY-26NOV23-B48.5", 18).rstrip() == "..26NOV23-B48.5"
    assert fit_name("x" * 30, 18) == "x" * 16 + ".."
    assert fit_name("a-" + "x" * 30, 18) == fit_name("a-" + "x" * 30, 40)[:16] + ".."

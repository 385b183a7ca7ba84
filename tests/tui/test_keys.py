"""Keys on the running console: what spends, what stops, what is swallowed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest
from textual import events
from textual.widgets import Input

from core.control.protocol import (
    AbortFlatten,
    Acknowledge,
    Approve,
    CancelMarket,
    CancelOrder,
    Edit,
    Flatten,
    Halt,
    HurryExits,
    Pause,
    RestExit,
    Resume,
    SkipWait,
    Veto,
)
from core.control.tables.safety import AlarmRow
from tests.tui import rows
from tests.tui.conftest import Desk, running
from tests.tui.fake_engine import read_clocks
from tui.widgets.live_table import LiveTable


async def armed(desk: Desk) -> None:
    await desk.shows(" ARMED ")


async def test_an_armed_card_is_approved_once_with_the_fingerprint_drawn(directory: Path) -> None:
    async with running(directory) as desk:
        await armed(desk)
        await desk.press("a")
        command = await desk.engine.expect(Approve)
        assert (command.proposal_id, command.fingerprint) == ("4F2A", "fp-1")  # type: ignore[attr-defined]
        await desk.shows("accepted in")
        await desk.press("a", "a")
        assert len(desk.sent(Approve)) == 1


async def test_nothing_is_sent_while_arming_by_enter_or_by_paste(directory: Path) -> None:
    async with running(directory, cards=False) as desk:
        now = read_clocks()
        desk.engine.send(proposals=(rows.card(now),))
        await desk.until(lambda: desk.app.operator.card is not None)
        await desk.press("a")
        await desk.shows("not sent: ")
        await armed(desk)
        await desk.press("enter")
        desk.app.post_message(events.Paste("aaa"))
        await desk.pilot.pause()
        assert desk.sent(Approve) == []


async def test_a_key_that_waited_in_a_stalled_loop_is_dropped(directory: Path) -> None:
    async with running(directory) as desk:
        await armed(desk)
        key = events.Key("a", "a")
        key.time -= 0.6
        desk.app.post_message(key)
        await desk.shows("ignored: typed while")
        assert desk.sent(Approve) == []


async def test_no_approval_from_an_old_picture(directory: Path) -> None:
    async with running(directory) as desk:
        await armed(desk)
        desk.engine.silence()
        await desk.shows("VIEW LAG")
        await desk.press("a")
        await desk.shows("not sent: the picture is over 1 s old")
        assert desk.sent(Approve) == []


async def test_a_moved_card_shows_the_difference_and_arms_again(directory: Path) -> None:
    async with running(directory, size=(80, 24)) as desk:
        await armed(desk)
        now = read_clocks()
        moved = rows.card(
            now, fingerprint="fp-m", state="MOVED", price=3300, was=rows.before(), changed_ns=now.mono_ns
        )
        desk.engine.send(proposals=(moved,))
        await desk.shows("40 @ 33c post-only MOVED, was 40 @ 32c")
        await armed(desk)
        await desk.press("a")
        command = await desk.engine.expect(Approve)
        assert command.fingerprint == "fp-m"  # type: ignore[attr-defined]


async def test_a_blocked_card_cannot_be_approved_by_any_key(directory: Path) -> None:
    async with running(directory, cards=False) as desk:
        desk.engine.send(proposals=(rows.blocked(read_clocks()),))
        await desk.shows("BLOCKED G11")
        assert "Clears with the next book" in desk.text
        for key in ("a", "y", "enter", "space"):
            await desk.press(key)
        assert desk.sent(Approve) == []


async def test_a_large_card_wants_its_side_named(directory: Path) -> None:
    async with running(directory, cards=False) as desk:
        desk.engine.send(proposals=(rows.card(read_clocks(), large=True),))
        await armed(desk)
        await desk.press("y")
        await desk.press("a")
        await desk.shows("y for YES, n for NO")
        await desk.press("n")
        await desk.shows("you named NO, the card is YES")
        assert desk.sent(Approve) == []
        await asyncio.sleep(0.85)  # the held-key window is real time by design
        await desk.press("a")
        await desk.shows("y for YES, n for NO")
        await desk.press("y")
        await desk.engine.expect(Approve)


async def test_a_new_card_never_takes_the_selection(directory: Path) -> None:
    async with running(directory) as desk:
        await armed(desk)
        now = read_clocks()
        desk.engine.send(proposals=(rows.card(now, id="EXIT", fingerprint="fx", closes=True, key=10),))
        await desk.shows("APPROVE 2 of 3")
        assert desk.app.operator.arming.card_id == "4F2A"
        more = rows.status(
            now, session=desk.engine.session, waiting=5, waiting_best="MIA hi Nov23 80-81 +3.1c"
        )
        desk.engine.send(status=more)
        await desk.shows("APPROVE 2 of 3 +5 wait: MIA hi Nov23 80")
        await desk.press("left_square_bracket")
        await desk.shows("REDUCES RISK")
        assert desk.app.operator.arming.card_id == "EXIT"


async def test_edit_takes_only_smaller_or_better(directory: Path) -> None:
    async with running(directory) as desk:
        await armed(desk)
        preview = {"cost": "6.20", "fee": "0.08", "max_loss": "6.28", "edge": "0.068", "blocked": ""}
        desk.engine.answers["4F2A fp-1 3100 20000000"] = msgspec.json.encode(preview)
        await desk.press("e", *"40 @ 35", "enter")
        await desk.shows("at most 32c")
        await desk.press("h", "up", "down")
        await desk.shows("20 @ 31c: cost 6.20  fee 0.08  max loss 6.28  net edge +6.8c")
        assert desk.sent(Edit) == []
        await desk.press("enter")
        command = await desk.engine.expect(Edit)
        assert (command.price, command.quantity) == (3100, 20 * rows.C)  # type: ignore[attr-defined]
        assert not isinstance(desk.app.focused, Input)


async def test_the_ladder_swallows_keys_aborts_on_two_escapes_and_skips_after_a_pause(
    directory: Path,
) -> None:
    async with running(directory) as desk:
        await armed(desk)
        await desk.press("ctrl+x")
        await desk.engine.expect(Flatten)
        desk.engine.send(flatten=rows.flatten(read_clocks()))
        await desk.shows("EXITS IN 0:0")
        await desk.press("a", "f", "H", "q", "2", "1")
        assert desk.sent(Approve) == desk.sent(SkipWait) == desk.sent(Halt) == []
        await desk.shows("f skips the wait")
        await desk.press("f")
        await desk.engine.expect(SkipWait)
        await desk.press("escape")
        await desk.shows("Esc AGAIN keeps")
        assert desk.sent(AbortFlatten) == []
        await desk.press("escape")
        await desk.engine.expect(AbortFlatten)
        over = rows.flatten(read_clocks(), phase="FLAT", receipt="Flat in 6.2 s, cost against mid 0.41.")
        desk.engine.send(flatten=over)
        await desk.shows("Flat in 6.2 s")
        await desk.press("2")
        await desk.until(lambda: desk.app.screen.query("#markets") and "MARKETS" in desk.text)


async def test_a_further_stop_key_only_asks_and_another_key_hurries_the_exits(directory: Path) -> None:
    async with running(directory) as desk:
        await armed(desk)
        await desk.press("ctrl+x")
        await desk.engine.expect(Flatten)
        resisting = ("KXHIGHNYC-26NOV23-B48-49: NO_BID: nobody bids, 3.40 may be lost",)
        desk.engine.send(flatten=rows.flatten(read_clocks(), phase="EXITING", residue=resisting))
        await desk.shows("NO_BID: nobody bids")
        await desk.shows("^X hurries")
        await asyncio.sleep(0.85)  # the pause without any key is real time by design
        await desk.press("u")
        assert desk.sent(HurryExits) == [], "nobody asked"
        await desk.press("ctrl+x")
        await desk.shows("u sells down to 10c under the bid")
        await asyncio.sleep(0.85)
        await desk.press("u")
        await desk.engine.expect(HurryExits)
        assert len(desk.sent(AbortFlatten)) == 0


async def test_an_exit_can_be_rested_while_the_ladder_waits(directory: Path) -> None:
    async with running(directory) as desk:
        await armed(desk)
        await desk.press("ctrl+x")
        await desk.engine.expect(Flatten)
        now = read_clocks()
        paused = {"pause": "trading paused", "pause_until_wall_ms": now.wall_ms + 754_000, "can_abort": True}
        desk.engine.send(flatten=rows.flatten(now, phase="EXITING", exits_at_ns=None, **paused))
        await desk.shows("trading paused, opens in 12:3")
        await desk.shows("Esc Esc keeps the positions")
        await asyncio.sleep(0.85)
        await desk.press("colon")
        await desk.press(*"exit-at", "space", *"48-49", "space", *"35", "enter")
        command = await desk.engine.expect(RestExit)
        assert (command.ticker, command.price) == ("KXHIGHNYC-26NOV23-B48-49", 3_500)  # type: ignore[attr-defined]


async def test_the_receipt_stays_until_the_locked_desk_is_resumed(directory: Path) -> None:
    async with running(directory) as desk:
        now = read_clocks()
        over = rows.flatten(now, phase="UNFLATTENED", exits_at_ns=None, receipt="NOT FLAT, one resists.")
        locked = rows.status(now, session=desk.engine.session, level="LOCKED", level_reason="flatten")
        desk.engine.send(flatten=over, status=locked)
        await desk.shows("STOP LADDER")
        await desk.shows("NOT FLAT, one resists.")
        await desk.shows(":resume goes on")
        desk.engine.send(status=rows.status(read_clocks(), session=desk.engine.session))
        await desk.until(lambda: "STOP LADDER" not in desk.text)


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_a_stop_that_goes_on_selling_says_in_one_line_how_it_ends(
    directory: Path, size: tuple[int, int]
) -> None:
    async with running(directory, size=size, cards=False) as desk:
        now = read_clocks()
        left = "; ".join(f"KXHIGHNYC-26NOV23-B{strike}: NO_BID: nobody bids" for strike in range(40, 60))
        over = rows.flatten(
            now, phase="UNFLATTENED", exits_at_ns=None, receipt=f"NOT FLAT, {left}.", watches=True
        )
        locked = rows.status(now, session=desk.engine.session, level="LOCKED", level_reason="flatten")
        desk.engine.send(flatten=over, status=locked)
        await desk.shows("It goes on until :flatten keep or :resume")
        await desk.press("3", "colon", *"alarms", "space", *"ack", "enter")
        desk.engine.send(
            alarms=tuple(msgspec.structs.replace(a, acknowledged=True) for a in rows.alarms(now))
        )
        await desk.shows("LOCKED   it goes on selling what is left until :flatten keep or :resume")
        await desk.press("colon", *"flatten", "space", *"keep", "enter")
        await desk.engine.expect(AbortFlatten)
        assert desk.sent(Flatten) == []
        await desk.press("1")
        desk.engine.send(status=msgspec.structs.replace(locked, controller_session="another"))
        await desk.shows("It goes on; the console in control ends it")
        await desk.press("escape")
        desk.engine.send(
            flatten=msgspec.structs.replace(
                over, phase="ABORTED", receipt="stopped by the operator", watches=False
            )
        )
        await desk.until(lambda: "It goes on" not in desk.text)


async def test_halt_is_one_key_and_only_text_in_a_text_field(directory: Path) -> None:
    async with running(directory) as desk:
        await desk.press("slash", "H")
        assert desk.sent(Halt) == []
        await desk.press("escape", "H")
        await desk.engine.expect(Halt)
        halted = rows.status(read_clocks(), session=desk.engine.session, level="HALTED", level_reason="pid 7")
        desk.engine.send(status=halted)
        await desk.until(lambda: "HALTED" in desk.text.splitlines()[0])


async def test_resume_is_typed(directory: Path) -> None:
    async with running(directory) as desk:
        await desk.press("colon", *"res", "tab")
        await desk.press("enter")
        await desk.shows("Type resume")
        await desk.press(*"resume", "enter", *"ok", "enter")
        command = await desk.engine.expect(Resume)
        assert (command.confirm, command.reason) == ("resume", "ok")  # type: ignore[attr-defined]


async def test_a_slip_in_the_word_or_no_reason_keeps_the_field_and_what_follows_is_no_key(
    directory: Path,
) -> None:
    async with running(directory) as desk:
        await armed(desk)
        await desk.press("colon", *"resume", "enter", *"resme", "enter")
        await desk.shows("Nothing sent: that was not the word. ")
        await desk.press(*"Ca", "enter", *"resume", "enter", "enter")
        await desk.shows("Nothing sent: it needs a reason.")
        await desk.press(*"xC", "enter")
        assert (await desk.engine.expect(Resume)).reason == "xC"  # type: ignore[attr-defined]
        assert not any(desk.sent(kind) for kind in (Approve, Veto, CancelMarket))
        await desk.press("colon", *"resume", "enter", *"no", "enter", "escape", "H")
        await desk.engine.expect(Halt)
        assert len(desk.sent(Resume)) == 1, "Esc leaves"


async def test_the_stop_key_stands_while_the_field_gives_its_room_back(directory: Path) -> None:
    async with running(directory) as desk:
        await desk.press("slash")
        app, screen = desk.app, desk.app.console_screen
        assert screen is not None
        hints = screen.key_hints
        await desk.until(lambda: hints.size.width < screen.size.width, "beside the field")
        hints.show(app.operator.scene(app.clock(), screen.size.width), "desk", asking=False, more=False)
        assert hints.text.strip() == "^X STOP"


async def test_safer_keys_need_no_question(directory: Path) -> None:
    async with running(directory) as desk:
        await armed(desk)
        await desk.press("x", "o", "p", "P", "space", "C")
        for kind in (Veto, Pause, Acknowledge, CancelMarket):
            await desk.engine.expect(kind)
        assert [command.reason for command in desk.sent(Veto)] == ["", "other"]
        assert [command.strategy for command in desk.sent(Pause)] == ["maker", ""]
        await desk.press("3")
        await desk.shows("DONE TODAY")
        await desk.press("j", "c")
        command = await desk.engine.expect(CancelOrder)
        assert command.client_order_id in ("pm-91c7", "pm-92d0")  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("key", "title"),
    [
        ("2", "MARKETS"),
        ("3", "DONE TODAY"),
        ("4", "LIMITS"),
        ("5", "what is real"),
        ("6", "FOREX"),
        ("7", "FUNNEL"),
        ("8", "JOURNAL"),
        ("9", "SYSTEM"),
    ],
)
async def test_digits_switch_screens_and_unbuilt_ones_do_nothing(
    directory: Path, key: str, title: str
) -> None:
    async with running(directory, size=(160, 45)) as desk:
        await desk.press("0")
        await desk.shows("APPROVE")
        await desk.press(key)
        await desk.until(lambda: title in desk.text and "APPROVE" not in desk.text)
        await desk.press("1")
        await desk.shows("APPROVE")


async def test_the_cursor_stays_on_its_market_when_the_order_changes(directory: Path) -> None:
    async with running(directory, cards=False) as desk:
        await desk.press("j", "j")
        key = desk.app.operator.ordering.cursor
        assert key is not None
        await desk.press("o")
        await desk.shows("sort: name")
        table = desk.app.screen.query_one("#markets")
        assert table.cursor_key == key == desk.app.operator.ordering.cursor  # type: ignore[attr-defined]


async def test_cancel_without_a_seen_cursor_means_the_current_markets_order(directory: Path) -> None:
    async with running(directory, size=(160, 45), cards=False) as desk:
        now = read_clocks()
        other = rows.order(now, client_order_id="pm-new", key=50)
        desk.engine.send(orders=(other,))
        await desk.until(lambda: "pm-new" in desk.app.view.orders)
        ordered = {row.key for row in desk.app.view.orders.values()}
        bare = next(key for key in desk.app.view.markets if key not in ordered)
        desk.app.operator.ordering.moved_cursor(bare, read_clocks())
        table = desk.app.screen.query_one("#orders", LiveTable)
        await desk.until(lambda: table.cursor_key is None)
        await desk.press("c")
        await desk.shows("no order under the cursor")
        here = desk.app.view.orders["pm-91c7"].key
        desk.app.operator.ordering.moved_cursor(here, read_clocks())
        await desk.until(lambda: table.cursor_key == "pm-91c7")
        await desk.press("c")
        command = await desk.engine.expect(CancelOrder)
        assert command.client_order_id == "pm-91c7"  # type: ignore[attr-defined]


async def test_the_cursor_rests_on_the_card_until_it_is_moved(directory: Path) -> None:
    async with running(directory, size=(80, 24)) as desk:
        await armed(desk)
        table = desk.app.screen.query_one("#markets", LiveTable)
        await desk.until(lambda: table.cursor_key == desk.app.operator.card.key)  # type: ignore[union-attr]
        await desk.press("right_square_bracket")
        await desk.until(lambda: table.cursor_key == desk.app.operator.card.key)  # type: ignore[union-attr]
        await desk.press("j", "j", "j")
        moved_to = table.cursor_key
        await desk.press("left_square_bracket")
        await armed(desk)
        assert table.cursor_key == moved_to


async def test_a_stop_without_an_engine_names_what_to_do(directory: Path) -> None:
    async with running(directory, size=(80, 24)) as desk:
        await desk.engine.stop()
        await desk.shows("ENGINE DOWN")
        await desk.press("ctrl+x")
        await desk.shows("flatten not sent. Run: pmconsole flatten --direct   2 orders expire in 1:")
        assert "STOPPING" not in desk.text


async def test_the_receipt_of_a_stop_gives_way_to_a_command_and_to_an_alarm(directory: Path) -> None:
    async with running(directory, size=(80, 24), cards=False) as desk:
        for number in (1, 2):
            desk.engine.send(flatten=rows.flatten(read_clocks()))
            await desk.shows("STOPPING")
            desk.engine.send(flatten=rows.flatten(read_clocks(), phase="FLAT", receipt=f"Flat, {number}."))
            await desk.shows(f"Flat, {number}.")
            if number == 1:
                await desk.press("P")
                await desk.shows("pause all entries -> accepted")
        alarm = AlarmRow(
            99, "ACT", rows.WORLD_MS, read_clocks().mono_ns, "Disk full", "no entries", "", False, True
        )
        desk.engine.send(alarms=(alarm,))
        await desk.shows("Disk full")
        assert "Flat, 2." not in desk.text


async def test_page_keys_read_a_models_detail_to_its_end(directory: Path) -> None:
    async with running(directory, size=(80, 24)) as desk:
        await desk.press("5")
        await desk.shows("MODELS")
        event = desk.app.screen.query_one("#events", LiveTable).cursor_key
        assert "what is real" not in desk.text
        await desk.press("pagedown", "pagedown", "pagedown")
        await desk.shows("what is real")
        assert desk.app.screen.query_one("#events", LiveTable).cursor_key == event


async def test_a_digit_leaves_what_was_opened_over_a_screen(directory: Path) -> None:
    async with running(directory) as desk:
        await armed(desk)
        await desk.press("v")
        await desk.shows("EVIDENCE")
        await desk.press("question_mark", "2")
        await desk.until(lambda: "EVIDENCE" not in desk.text and "HELP" not in desk.text)
        await desk.until(lambda: desk.app.operator.scene(read_clocks(), 120).card_word == "SMALL")
        for key in ("1", "a"):  # as fast as anybody can: the card was not looked at yet
            event = events.Key(key, key)
            event.set_sender(desk.app)
            desk.app.post_message(event)
        await desk.shows("APPROVE")
        await desk.shows("not sent: ")
        assert desk.sent(Approve) == []


async def test_filter_hides_and_escape_shows_all(directory: Path) -> None:
    async with running(directory, cards=False) as desk:
        await desk.press("slash", *"den", "enter")
        await desk.shows("1 of 15")
        await desk.press("slash", *"chi")
        await desk.shows("filter, now 'den'")
        await desk.press("escape")
        await desk.shows("1 of 15")
        await desk.press("slash", *"zzz", "enter")
        await desk.shows('No market matches "/zzz"')
        await desk.press("escape")
        await desk.shows("CHI hi Nov23 41-42")
        await desk.press("tab")
        orders = desk.app.screen.query_one("#orders", LiveTable)
        await desk.until(lambda: orders.has_focus and len(orders.keys) > 1)
        await desk.press("slash", *"chi", "enter")
        await desk.until(lambda: orders.has_focus and len(orders.keys) == 1, "gave the keys back")
        await desk.press("escape")
        await desk.until(lambda: len(orders.keys) > 1)


async def test_enter_opens_the_market_with_its_clean_title(directory: Path) -> None:
    async with running(directory, cards=False, size=(80, 24)) as desk:
        static = msgspec.structs.replace(rows.statics()[0], title="Rain \x1b[2J[b]bold[/b] [/]?")
        desk.engine.send(statics=(static,))
        await desk.press("home")
        await desk.press("enter")
        await desk.shows("Rain [2J[b]bold[/b] [/]?")
        await desk.press("escape")
        await desk.shows("APPROVE")


async def test_help_is_the_registry(directory: Path) -> None:
    async with running(directory, size=(120, 60)) as desk:
        await desk.press("question_mark")
        await desk.shows("Emergency flatten")
        await desk.shows("Approve the armed card")
        await desk.press("escape")
        await desk.shows("APPROVE")


async def test_ctrl_c_never_quits_and_q_does(directory: Path) -> None:
    async with running(directory) as desk:
        await desk.press("ctrl+c")
        await desk.shows("q leaves the console, ^X stops the desk")
        await desk.press("q")
        await desk.until(lambda: desk.app.return_code == 0)


async def test_notifications_never_read_markup(directory: Path) -> None:
    async with running(directory) as desk:
        desk.app.notify("[/red] [@click=app.quit]x[/]", markup=True)
        await desk.until(lambda: len(desk.app._notifications))
        assert not any(notification.markup for notification in desk.app._notifications)

"""The command line against a desk that answers: exit codes, sentences, exact commands, speed."""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.config import paths
from core.config.drill import read_drill
from core.control import protocol as p
from core.control.connection import RATE_BURST, RATE_PER_S
from tui import drill, front_door, verbs
from tui.theme_files import no_theme

from .conftest import HERE, STATUS, Desk

LADDER = {
    "phase": "COUNTDOWN", "exits_in_s": 4.0, "residue": [], "receipt": "", "watches": False,
    "venues": [
        {"venue": "kalshi", "cancels_sent": 2, "cancels_confirmed": 1, "cancels_unknown": 0, "exits_sent": 0,
         "exits_filled": 0, "exits_resting": 0, "left": "15.00"}
    ],
    "pause": "", "pause_left_s": None,
}  # fmt: skip


# --- without an engine --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "verb",
    [
        ["status"], ["orders", "--json"], ["approve", "P1-abc"], ["engine", "status"],
        ["engine", "stop"], ["attach"], ["halt"],
    ],
    ids=" ".join,
)  # fmt: skip
async def test_without_an_engine_every_verb_says_so_and_leaves_with_3(empty: Desk, verb: list[str]) -> None:
    ended = await empty.run(*verb)
    assert ended.code == 3
    assert ended.err == "No engine runs for profile demo. Start one with: pmconsole\n"
    assert ended.out == ""


async def test_a_stop_without_an_engine_names_the_stop_that_needs_none(empty: Desk) -> None:
    ended = await empty.run("flatten", "--profile", "live")
    assert (ended.code, ended.out) == (3, "")
    assert ended.err == (
        "No engine runs for profile live. "
        "Cancel and sell without one: pmconsole flatten --direct --profile live\n"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["--profile", "Live", "status"],
        ["status", "--profile", "paper"],
        ["--profile=../demo"],
        ["demo", "--profile", "x"],
    ],
    ids=" ".join,
)
async def test_an_unknown_profile_is_refused_with_2(empty: Desk, arguments: list[str]) -> None:
    ended = await empty.run(*arguments)
    assert ended.code == 2
    assert "does not exist: use one of demo, kalshi-demo, live" in ended.err
    assert list(empty.home.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["fly"], "No such command 'fly'"),
        (["flaten"], "No such command 'flaten': did you mean 'flatten'?"),
        (["engine", "stopp"], "No such command 'stopp': did you mean 'stop'?"),
        (["--profile"], "requires an argument"),
        (["approve", "P12"], "no proposal id with its fingerprint"),
        (["mode", "manual"], "'manual' is not one of"),
        (["alarms", "ack", "seven"], "'seven' is no alarm's number"),
        (["alarms", "ack", "9" * 5000], "99999' is no alarm's number"),
        (["alarms", "shelve", "7", "30"], "'30' is no time: write it as 30m or 2h"),
        (["alarms", "shelve", "all", "30m"], "'all' is no alarm's number"),
        (["attach", "--take", "--view-only"], "exclude each other"),
        (["flatten", "--keep", "--direct"], "--keep stands alone"),
        (["--speed", "0"], "0.0 is not in the range"),
        (["sim", "--kalshi-port", "70000"], "not in the range"),
        (["sim", "--scenario", "nowhere"], "nowhere"),
    ],
)
async def test_usage_mistakes_leave_with_2(empty: Desk, arguments: list[str], sentence: str) -> None:
    ended = await empty.run(*arguments)
    assert ended.code == 2
    assert sentence in ended.err


@pytest.mark.parametrize("group", [[], ["engine"], ["alarms"], ["watchdog"], ["feeds"]], ids=str)
async def test_help_tells_every_verb_in_a_whole_sentence(empty: Desk, group: list[str]) -> None:
    ended = await empty.run(*group, "--help")
    assert ended.code == 0 and "..." not in ended.out.partition("Commands:")[2]
    assert "Commands:" in ended.out


async def test_a_port_in_use_is_named_with_its_option(empty: Desk) -> None:
    server = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    ended = await empty.run("sim", "--kalshi-port", str(port))
    server.close()
    assert ended.code == 2
    assert f"port {port} is in use: give --kalshi-port another" in ended.err


# --- with one -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["approve", "P12-4f2a91c0de11"], p.Approve("", "P12", "4f2a91c0de11")),
        (["veto", "P12-4f2a91c0de11", "--reason", "news"], p.Veto("", "P12", "4f2a91c0de11", "news")),
        (
            ["mode", "auto", "--confirm", "automatic", "--reason", "r"],
            p.SetMode("", "auto", "automatic", "r"),
        ),
        (["mode", "semi"], p.SetMode("", "semi")),
        (["pause"], p.Pause("")),
        (["pause", "weather"], p.Pause("", "weather")),
        (["unpause", "--confirm", "unpause"], p.Unpause("", "", "unpause")),
        (
            ["unpause", "maker", "--confirm", "unpause", "--reason", "the wire is back"],
            p.Unpause("", "maker", "unpause", "the wire is back"),
        ),
        (
            ["reenable", "automatic", "--confirm", "enable", "--reason", "looked"],
            p.Reenable("", "automatic", "enable", "looked"),
        ),
        (["halt", "--reason", "lunch"], p.Halt("", "lunch")),
        (["resume", "--confirm", "resume", "--reason", "back"], p.Resume("", "resume", "back")),
        (
            ["resume", "KAL", "--confirm", "resume", "--reason", "back"],
            p.Resume("", "resume", "back", "KAL"),
        ),
        (
            ["reconcile", "accept", "KX-1", "--confirm", "accept", "--reason", "r"],
            p.Accept("", "KX-1", "accept", "r"),
        ),
        (["orders", "resolve", "3ab1"], p.Resolve("", "3ab1")),
        (
            ["orders", "resolve", "3ab1", "--found", "V-7", "--confirm", "resolve", "--reason", "r"],
            p.Resolve("", "3ab1", "V-7", "resolve", "r"),
        ),
        (["alarms", "ack"], p.AcknowledgeAll("")),
        (["alarms", "ack", "all"], p.AcknowledgeAll("")),
        (["alarms", "ack", "7"], p.Acknowledge("", 7)),
        (["alarms", "shelve", "7", "30m"], p.Shelve("", 7, 30)),
        (["alarms", "shelve", "7", "2h", "--reason", "wind"], p.Shelve("", 7, 120, "wind")),
        (["alarms", "unshelve", "7"], p.Unshelve("", 7)),
        (["arm", "--confirm", "arm live 3d4c", "--reason", "go"], p.Arm("", "arm live 3d4c", "go")),
        (["disarm", "--reason", "lunch"], p.Disarm("", "lunch")),
        (["feeds", "confirm", "CPI"], p.ConfirmRelease("", "CPI")),
        (["confirm", "source", "kxinx", "3f2a91c0"], p.ConfirmSource("", "KXINX", "3f2a91c0")),
        (
            ["view", "JOBS", "next", "consensus", "-25", "a survey"],
            p.EnterView("", "JOBS", "next", "consensus", "-25", "a survey"),
        ),
        (
            ["view", "CPI", "next", "consensus", "0.3", "a survey", "--sd", "0.1"],
            p.EnterView("", "CPI", "next", "consensus", "0.3", "a survey", "0.1"),
        ),
        (["feeds", "match", "KX-1", "9f2c", "--team", "A"], p.ConfirmFixture("", "KX-1", "9f2c", "A")),
        (["cancel", "pm-1"], p.CancelOrder("", "pm-1")),
        (["flatten", "--keep"], p.AbortFlatten("")),
        (["limit", "total_loss_max", "400"], p.SetLimit("", "total_loss_max", "400")),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
async def test_each_verb_sends_its_command(desk: Desk, arguments: list[str], expected: Any) -> None:
    ended = await desk.run(*arguments)
    assert (ended.code, ended.out) == (0, "Done.\n")
    (sent,) = desk.answers.commands
    assert sent.id
    assert type(sent) is type(expected)
    for name in sent.__struct_fields__:
        if name != "id":
            assert getattr(sent, name) == getattr(expected, name)


async def test_the_command_as_a_shell_starts_it(desk: Desk, tmp_path: Path) -> None:
    assert (await desk.start("pause")).out == "Done.\n"
    assert (await desk.start("--profile", "live")).code == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("score", "--json", "weather", "--data", "."),
        ("score", "--series", "KXINX", "range", "--data", "."),
        ("feeds", "--fields", "test", "yahoo"),
        ("orders", "--json", "resolve", "pm-1"),
        ("reconcile", "--json", "accept", "cash"),
        ("alarms", "--fields", "ack"),
    ],
    ids=" ".join,
)
async def test_an_option_that_no_verb_would_hear_is_said(desk: Desk, arguments: tuple[str, ...]) -> None:
    ended = await desk.run(*arguments)
    assert (ended.code, desk.answers.commands) == (2, [])
    verb = arguments[3] if arguments[1] == "--series" else arguments[2]
    assert f"{arguments[1]} before {verb!r} is not heard" in ended.err


async def test_a_view_with_a_mistyped_option_is_not_sent(desk: Desk) -> None:
    ended = await desk.run("view", "CPI", "next", "own", "0.3", "me", "--std", "0.1")
    assert (ended.code, desk.answers.commands) == (2, [])


async def test_a_refusal_is_printed_and_leaves_with_1_and_asks_nothing_without_a_terminal(desk: Desk) -> None:
    desk.answers.reply = lambda _: (False, "Resuming needs the typed word 'resume'.")
    ended = await desk.run("resume")
    assert (ended.code, ended.err) == (1, "Resuming needs the typed word 'resume'.\n")
    assert len(desk.answers.commands) == 1


async def test_on_a_terminal_only_what_was_not_given_is_asked_for(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.verbs.on_terminal", lambda: True)
    desk.answers.reply = lambda c: (
        c == p.Resume(c.id, "resume", "back"),
        "Resuming needs the typed word 'resume' and a reason.",
    )
    assert (await desk.run("resume", "--reason", "back", typed="resume\n")).code == 0
    assert (await desk.run("resume", typed="resume\nback\n")).code == 0
    assert (await desk.run("resume", "--reason", "back", typed="start\n")).code == 1
    desk.answers.reply = lambda c: (c == p.Unpause(c.id, "", "unpause"), "It needs the typed word 'unpause'.")
    assert (await desk.run("unpause", typed="unpause\n")).code == 0, "a reason may be left out"


async def test_status_as_text_and_as_json(desk: Desk) -> None:
    text = await desk.run("status")
    assert text.code == 0
    assert text.out.splitlines()[0] == "demo  semi  NORMAL"
    as_json = await desk.run("status", "--json")
    assert json.loads(as_json.out) == STATUS


READING = {
    "reading": 12, "age_s": 0.4, "complete": True, "reason": "cli asked", "agrees": True, "clean_age_s": 0.4,
    "doubt": "", "differences": [], "accounts": [],
}  # fmt: skip
DIFFERS = {
    "row": "R9", "about": "position", "ticker": "KX-1", "subject": "", "ours": "8.00", "theirs": "11.00",
    "age_s": 6.0, "reads": 2, "acted": True, "halts": "venue HALTED",
    "events": [{"time": "2026-11-28T14:02:17.000Z", "kind": "FILL", "text": "bought 8 @ 45c"}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("found", "code", "said"),
    [
        ({}, 0, "agrees\n"),
        (
            {"agrees": False, "differences": [DIFFERS], "clean_age_s": 95.0},
            1,
            "R9  position KX-1: we say 8.00, the venue says 11.00\n"
            "    seen 2 times in 6s; has stopped: venue HALTED\n"
            "      2026-11-28T14:02:17.000Z FILL             bought 8 @ 45c\nagreed 2m ago\n",
        ),
        (
            {"agrees": False, "complete": False, "reason": "fills: timeout", "clean_age_s": None},
            1,
            "INCOMPLETE: fills: timeout. Nothing was compared; it is read again.\n",
        ),
    ],
)
async def test_reconcile_waits_for_the_next_reading_and_tells_it_by_row(
    desk: Desk, found: dict[str, Any], code: int, said: str
) -> None:
    desk.answers.data["reconcile"] = {**READING, "reading": 11}

    def begins(_: p.AnyCommand) -> tuple[bool, str]:
        desk.answers.data["reconcile"] = {**READING, **found}
        return True, "Reading the account."

    desk.answers.reply = begins
    ended = await desk.run("reconcile")
    assert (ended.code, ended.out) == (code, said)
    (sent,) = desk.answers.commands
    assert isinstance(sent, p.Reconcile)


async def test_alarms_say_whether_somebody_has_seen_them(desk: Desk) -> None:
    row = {"id": 3, "level": "ACT", "age_s": 4.0, "what": "KAL: lost", "effect": "halted", "clears": "resume"}
    shelf = {"shelved_by": "cli pid 7", "shelved_until": "2026-11-23T14:02:31.000Z", "shelved_for": "wind"}
    desk.answers.data["alarms"] = [{**row, "acknowledged": False, "active": True, **shelf}]
    header, line = (await desk.run("alarms")).out.splitlines()
    assert header.split()[:5] == ["id", "level", "age_s", "seen", "active"]
    assert line.split()[:5] == ["3", "ACT", "4.0", "no", "yes"]
    assert "until 14:02Z by cli pid 7: wind" in line
    assert json.loads((await desk.run("alarms", "--json")).out)[0]["acknowledged"] is False
    assert "whether somebody saw it" in (await desk.run("alarms", "--fields")).out


async def test_tables_are_aligned_and_say_none(desk: Desk) -> None:
    desk.answers.data["positions"] = []
    assert (await desk.run("positions")).out == "none\n"
    row = {
        "name": "total_loss_max",
        "scope": "",
        "used": "12.00",
        "limit": "800.00",
        "ceiling": "800.00",
        "unit": "money",
    }
    desk.answers.data["limits"] = [row, {**row, "name": "x", "used": None}]
    lines = (await desk.run("limits")).out.splitlines()
    assert len({line.index("800.00") for line in lines[1:]}) == 1
    assert "--" in lines[2]


async def test_fields_are_explained_without_an_engine(empty: Desk) -> None:
    ended = await empty.run("orders", "--fields")
    assert ended.code == 0
    assert "leaves" in ended.out


async def test_flatten_prints_progress_until_flat(desk: Desk) -> None:
    desk.answers.reply = lambda _: (True, "Stopping: 2 orders cancelled, exits in 5 s.")
    venue = LADDER["venues"][0]
    desk.answers.ladders = [
        LADDER,
        {**LADDER, "phase": "EXITING", "venues": [{**venue, "exits_sent": 1}]},
        {**LADDER, "phase": "FLAT", "receipt": "FLAT, confirmed twice by the venue."},
    ]
    ended = await desk.run("flatten", "--now")
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert lines[0] == "Stopping: 2 orders cancelled, exits in 5 s."
    assert lines[1].startswith("COUNTDOWN exits in 4 s: kalshi cancelled 1 of 2")
    assert lines[-1] == "FLAT, confirmed twice by the venue."
    (sent,) = desk.answers.commands
    assert isinstance(sent, p.Flatten) and sent.now and sent.sent_ns


async def test_flatten_hurries_once_exits_run_and_names_a_pause(desk: Desk) -> None:
    paused = {"pause": "trading paused", "pause_left_s": 754.0}
    desk.answers.ladders = [
        LADDER,
        {**LADDER, "phase": "EXITING", **paused},
        {**LADDER, "phase": "FLAT", "receipt": "FLAT."},
    ]
    ended = await desk.run("flatten", "--urgent", "--include-external")
    assert ended.code == 0 and "trading paused, opens in 13m" in ended.out
    first, second = desk.answers.commands
    assert isinstance(first, p.Flatten) and first.include_external and not first.now
    assert isinstance(second, p.HurryExits)


async def test_an_exit_is_rested_at_a_price_in_dollars(desk: Desk) -> None:
    assert (await desk.run("exit-at", "KX-1", "0.35")).code == 0
    (sent,) = desk.answers.commands
    assert isinstance(sent, p.RestExit) and (sent.ticker, sent.price) == ("KX-1", 3_500)
    wrong = await desk.run("exit-at", "KX-1", "cheap")
    assert wrong.code == 2 and wrong.err.count("is no price") == 1


async def test_without_a_terminal_a_console_is_refused_in_one_sentence(desk: Desk) -> None:
    ended = await desk.run("attach")
    assert ended.code == 2
    assert ended.err.startswith("pmconsole: the console needs a terminal") and ended.err.count("\n") == 1


async def test_a_broken_file_keeps_nobody_from_a_desk_that_runs(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = paths.profile("demo").config
    broken.write_text("[console]\ntheme = 'nope'\n")
    looks: list[front_door.Look] = []
    monkeypatch.setattr(front_door, "_check_terminal", lambda: None)
    monkeypatch.setattr(front_door, "_console", lambda _place, look: looks.append(look) or 0)
    ended = await desk.run("attach")
    said = f"{broken}:2: {no_theme('nope')}; the console opens with its defaults"
    assert said in ended.err
    assert looks[0].keymap.warnings == (said,), "where it is seen: the console hides what stood there before"


async def test_a_broken_file_is_named_where_no_desk_runs(empty: Desk) -> None:
    broken = paths.profile("demo")
    paths.prepare(broken)
    broken.config.write_text("[console]\ntheme = 'nope'\n")
    ended = await empty.run()
    assert ended.code == 2
    assert ended.err == f"pmconsole: {broken.config}:2: {no_theme('nope')}\n"


async def test_a_watchdog_that_is_not_there_is_named(desk: Desk) -> None:
    ended = await desk.run("watchdog", "status")
    assert ended.code == 3 and "no watchdog answers" in ended.err and "watchdog run" in ended.err
    other = await desk.run("watchdog", "status", "--profile", "live")
    assert other.err.endswith("Start it with: pmconsole watchdog run --profile live\n")
    drilled = await desk.run("watchdog", "drill")
    assert drilled.code == 0 and isinstance(desk.answers.commands[0], p.DrillWatchdog)


async def test_the_drill_sees_what_rang_before_it_resumes_and_tells_a_refusal(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resume() -> drill.Step:
        with verbs.open_line(paths.profile("demo")) as line:
            return drill._resumed(line)

    def unseen(command: p.AnyCommand) -> tuple[bool, str]:
        seen = any(isinstance(before, p.AcknowledgeAll) for before in desk.answers.commands)
        return seen or not isinstance(command, p.Resume), "Acknowledge alarm 6 first."

    monkeypatch.setattr(drill, "READY_S", 0.2)
    desk.answers.reply = unseen
    assert (await asyncio.to_thread(resume)).name == "resumed"
    desk.answers.reply = lambda command: (not isinstance(command, p.Resume), "The account differs.")
    with pytest.raises(drill.DrillError, match=r"clean reconcile; the desk says: The account differs\."):
        await asyncio.to_thread(resume)


async def test_a_drill_that_gets_no_answer_fails_and_says_so(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ladder(_: Path) -> Iterator[drill.Step]:
        with verbs.open_line(paths.profile("demo")) as line:
            for _ in range(RATE_BURST + 20):
                drill._ask(line, "status")
        yield drill.Step("never", "")

    monkeypatch.setattr(drill, "_ladder", ladder)
    assert await asyncio.to_thread(drill.drill, paths.profile("demo")) == 1
    kept = read_drill(paths.profile("demo").drill)
    assert kept is not None and not kept.passed
    assert kept.said == "status: refused, Too many commands at once; wait a second."


def test_the_drill_looks_no_more_often_than_the_engine_answers() -> None:
    calls_a_look = 4  # orders, positions, proposals and an approval
    assert calls_a_look / drill.POLL_S <= RATE_PER_S


async def test_units_are_printed(desk: Desk) -> None:
    ended = await desk.run("engine", "units")
    assert ended.code == 0
    for line in ("# pmconsole-engine-demo.service", "# pmconsole-watchdog-demo.service", "Type=notify"):
        assert line in ended.out.splitlines()


async def test_flatten_names_the_residue_and_leaves_with_1(desk: Desk) -> None:
    desk.answers.ladders = [{**LADDER, "phase": "UNFLATTENED", "residue": ["KX-1: nobody bids"]}]
    ended = await desk.run("flatten")
    assert ended.code == 1
    assert ended.err == "UNFLATTENED: KX-1: nobody bids\n"


async def test_a_flatten_that_goes_on_says_what_ends_it(desk: Desk) -> None:
    desk.answers.ladders = [{**LADDER, "phase": "UNFLATTENED", "residue": ["KX-1: no bid"], "watches": True}]
    ended = await desk.run("flatten")
    assert ended.code == 1
    until = "The engine goes on and sells what it can until: pmconsole flatten --keep"
    assert ended.err == f"UNFLATTENED: KX-1: no bid. {until}\n"


async def test_a_verb_is_faster_than_the_hand_that_types_it(desk: Desk) -> None:
    took = []
    for _ in range(5):
        started = time.monotonic()
        assert (await desk.start("status")).code == 0
        took.append(time.monotonic() - started)
    # 400 ms is the promise on a quiet machine; a busy one may take several times as long.
    assert statistics.median(took) < 2.0


async def test_a_verb_imports_nothing_heavy(empty: Desk) -> None:
    code = (
        "import sys; from tui import cli, verbs; "
        "heavy = {'textual', 'rich', 'httpx', 'numpy', 'scipy', 'asyncio', 'websockets', 'cryptography', "
        "'core.engine', 'core.sim', 'sqlite3'} & set(sys.modules); print(sorted(heavy))"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE, cwd=HERE
    )
    out, _ = await process.communicate()
    assert out.decode().strip() == "[]"


# --- odd words ----------------------------------------------------------------------------------


async def test_a_stop_is_never_refused_for_its_wording(desk: Desk) -> None:
    for reason in ("x" * 100_000, "\udcff\udcfe"):
        assert (await desk.run("halt", "--reason", reason)).code == 0
    long, odd = desk.answers.commands
    assert isinstance(long, p.Halt) and len(long.reason) == 400
    assert isinstance(odd, p.Halt) and odd.reason == "??"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("pause", "\udcff"), "holds bytes that are no UTF-8 text"),
        (("cancel", "\udcff"), "holds bytes that are no UTF-8 text"),
        (("approve", "P1-" + "f" * 100_000), "make it shorter"),
    ],
)
async def test_what_cannot_be_sent_is_one_sentence(
    desk: Desk, arguments: tuple[str, ...], sentence: str
) -> None:
    ended = await desk.run(*arguments)
    assert ended.code == 2 and sentence in ended.err and ended.err.count("\n") == 1
    assert not desk.answers.commands


async def test_an_odd_order_id_has_no_story(empty: Desk, tmp_path: Path) -> None:
    ended = await empty.run("journal", "why", "\udcff", "--file", str(tmp_path / "j.db"))
    assert ended.code == 1 and ended.err.startswith("There is no order")


@pytest.mark.parametrize(
    ("state", "tested", "code"),
    [("works", "has arrived", 0), ("fails", "did not arrive: HTTP 500", 1)],
)
async def test_a_test_outside_says_what_came_of_it(desk: Desk, state: str, tested: str, code: int) -> None:
    before = {"outside": {"state": "untried", "tests": 0, "tested": ""}}
    desk.answers.data["system"] = before

    def reply(command: p.AnyCommand) -> tuple[bool, str]:
        desk.answers.data["system"] = {"outside": {"state": state, "tests": 1, "tested": tested}}
        return True, "A test goes outside now."

    desk.answers.reply = reply
    ended = await desk.run("alarms", "test")
    assert (ended.code, ended.out) == (code, f"The test {tested}.\n")
    (sent,) = desk.answers.commands
    assert isinstance(sent, p.TellOutside)
    desk.answers.reply = lambda _: (False, "Nobody outside is told: alarms.webhook is off.")
    refused = await desk.run("alarms", "test")
    assert refused.code == 1 and "is off" in refused.err

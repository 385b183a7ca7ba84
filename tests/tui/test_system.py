"""The System screen and ``pmconsole system``: what holds, what is slow, what is used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.tui.conftest import running
from tests.tui.test_screens import checked_lines
from tui.lines import plain
from tui.screens.system import drawn, read_system
from tui.system_words import System, remarks, sections, system_lines


def told(**changed: Any) -> dict[str, Any]:
    link = {"venue": "kalshi", "state": "ok", "heartbeat_age_s": 0.4, "lag_ms": 12, "detail": ""}
    lost = link | {"venue": "polymarket", "state": "DOWN", "lag_ms": None, "detail": "closed 1006\u202e"}
    process = {"pid": 41, "what": "", "age_s": 7200.0, "cpu_s": 360.0, "memory_mb": 96}
    row = {
        "processes": [
            process | {"name": "engine"},
            process | {"name": "watchdog", "pid": 42, "what": "its key is refused"},
            {"name": "console", "pid": 43, "what": "in control", "age_s": None, "cpu_s": None,
             "memory_mb": None},
        ],
        "health": [
            {"name": "engine lag", "value": 3, "limit": 100, "unit": "milliseconds", "floor": False},
            {"name": "journal sync", "value": None, "limit": 250, "unit": "milliseconds", "floor": False},
            {"name": "disk free", "value": 400, "limit": 512, "unit": "megabytes", "floor": True},
        ],
        "venues": [link, lost],
        "clock_offsets_ms": [-3, None],
        "buckets": [
            {
                "venue": "kalshi", "kind": "write", "shard": 0, "left": 90.0, "burst": 100.0, "rate": 100.0,
                "pace": 70, "waiting": 0,
            },
            {
                "venue": "kalshi", "kind": "write", "shard": 2, "left": -4.0, "burst": 100.0, "rate": 100.0,
                "pace": 35, "waiting": 3,
            },
        ],
        "layers": [
            {"name": "groups", "venue": "kalshi", "state": "armed", "detail": "one call ends all of ours"},
            {"name": "watchdog", "venue": "", "state": "not armed", "detail": "its key is refused"},
        ],
        "drill": {"at": "2026-11-20T09:30:00.000Z", "passed": True, "said": "flat in 6.2 s"},
        "alarms": 1, "unseen": 2, "shelved": 1, "journal": 4711,
        "outside": {"state": "off", "detail": "", "worked_at": None, "tests": 0, "tested": ""},
    }  # fmt: skip
    return row | changed


def system(**changed: Any) -> System:
    return read_system(json.dumps(told(**changed)).encode())


def roles(found: System, before: System | None = None) -> dict[str, tuple[str, str]]:
    """Text and role of each row, by its first two cells."""
    return {
        " ".join(row.cells[:2]): (" ".join(row.cells), row.role)
        for section in sections(found, before)
        for row in section.rows
    }


def test_what_is_not_armed_over_its_limit_or_used_up_stands_out() -> None:
    shown = roles(system())
    assert shown["groups KAL"][1] == "good" and shown["watchdog desk"][1] == "alarm"
    assert shown["engine lag 3 ms"][1] == "text"
    assert shown["journal sync ?"][0].startswith("journal sync ? up to 250 ms"), "not read yet is not 0"
    assert shown["disk free 400 MB"] == ("disk free 400 MB at least 512 MB nothing is opened", "alarm")
    assert shown["KAL write"][1] == "text"
    assert shown["KAL write 2"] == ("KAL write 2 -4 100 100 35% 3 used up", "near")
    assert shown["POLY DOWN"] == ("POLY DOWN 0.4s quiet ? closed 1006", "alarm")


def test_the_processor_s_share_is_that_of_late_once_two_answers_are_known() -> None:
    first = system()
    later = msgspec.structs.replace(first.processes[0], age_s=7210.0, cpu_s=369.0)
    second = msgspec.structs.replace(first, processes=(later, *first.processes[1:]))
    assert " 5% " in roles(first)["engine 41"][0]
    assert " 90% " in roles(second, first)["engine 41"][0]
    assert " ? " in roles(first)["console 43"][0]


def test_a_desk_that_was_never_drilled_says_so_and_one_that_failed_too() -> None:
    assert remarks(system(drill=None))[0][1] == "near"
    text, role = remarks(system(drill=told()["drill"] | {"passed": False}))[0]
    assert text == "Last drill 2026-11-20 09:30 FAILED: flat in 6.2 s" and role == "alarm"


def test_who_is_told_elsewhere_stands_out_when_nobody_is() -> None:
    told = {"state": "works", "detail": "", "worked_at": "2026-11-20T08:00:01.000Z", "tests": 0, "tested": ""}

    def said(**changed: object) -> tuple[str, str]:
        return remarks(system(outside=told | changed))[2]

    assert said() == ("Outside: the last message arrived 2026-11-20 08:00Z.", "text")
    assert said(state="off", worked_at=None) == (
        "Outside: nobody is told, alarms.webhook is off.",
        "text-muted",
    )
    assert said(state="fails", detail="HTTP 500", tests=1, tested="did not arrive: HTTP 500") == (
        "Outside: NOBODY IS TOLD: HTTP 500; the last message arrived 2026-11-20 08:00Z."
        " The test did not arrive: HTTP 500.",
        "alarm",
    )
    assert said(state="unusable", detail="it is not there")[1] == "alarm"
    assert said(state="untried", worked_at=None)[1] == "near"


@pytest.mark.parametrize("width", [58, 78, 98])
def test_no_line_is_wider_than_its_pane_and_no_word_is_lost(width: int) -> None:
    rows = [plain(row) for row in drawn(sections(system()), width)]
    assert max(map(len, rows)) <= width
    whole = " ".join(" ".join(rows).split())
    for words in ("one call ends all of ours", "KAL ok 0.4s 12 ms -3 ms", "in control"):
        assert " ".join(words.split()) in whole, words
    assert "\u202e" not in whole


def test_the_shell_is_told_the_same() -> None:
    lines = system_lines(msgspec.convert(told(), System))
    assert lines[0] == "Last drill 2026-11-20 09:30 passed: flat in 6.2 s"
    assert all(line.isascii() for line in system_lines(system()))
    assert {"DEAD MAN", "ENGINE", "LINKS", "PROCESSES", "RATE LIMITS"} <= set(lines)


async def test_nine_opens_it(directory: Path) -> None:
    async with running(directory, size=(160, 45)) as desk:
        desk.engine.answers["system"] = json.dumps(told()).encode()
        await desk.press("9")
        await desk.shows("its key is refused")
        assert "RATE LIMITS" in desk.text and "DEAD MAN" in desk.text
        checked_lines(desk)

"""Journal verbs from a shell: what they say and how they end."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from core.config import paths
from core.config.seen import Seen, write_seen
from core.domain.clock import SystemClock
from core.journal.digest import PARTS
from core.journal.events import Event, Kind
from core.journal.opening import Identity
from core.journal.store import Durability, open_journal
from tui.cli import cli


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["journal", *arguments])


def written(path: Path) -> None:
    async def main() -> None:
        journal = open_journal(
            path,
            Identity("w", "demo", "0", "b", "r"),
            SystemClock(),
            durability=Durability.NORMAL,
            on_fault=lambda fault: None,
        )
        journal.append(Event(Kind.COMMAND, {"text": "halt"}))
        await journal.close()

    asyncio.run(main())


def test_a_backup_is_made_checked_and_never_written_over(tmp_path: Path) -> None:
    path, target = tmp_path / "j.db", tmp_path / "saved.db"
    written(path)
    made = run("backup", str(target), "--file", str(path))
    assert (made.exit_code, made.output.splitlines()[0]) == (
        0,
        f"{target}: sound, 1 rows, 1 runs (0 not signed off)",
    )
    assert run("verify", "--file", str(target)).exit_code == 0
    again = run("backup", str(target), "--file", str(path))
    assert again.exit_code == 1
    assert again.stderr == f"{target} is there already; name a new file.\n"


def test_a_backup_of_nothing_says_so(tmp_path: Path) -> None:
    ended = run("backup", str(tmp_path / "saved.db"), "--file", str(tmp_path / "none.db"))
    assert ended.exit_code == 1
    assert "There is no journal" in ended.stderr


def test_what_happened_since_a_console_was_there_is_told_without_an_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PMCONSOLE_HOME", str(tmp_path))
    place = paths.profile("demo")
    paths.prepare(place)
    never = CliRunner().invoke(cli, ["since"])
    assert never.exit_code == 1 and "No console has looked at this desk yet" in never.stderr

    write_seen(place.seen, Seen("w", 0, 1_700_000_000_000, "me", 5_000_000))
    missing = CliRunner().invoke(cli, ["since"])
    assert missing.exit_code == 1 and "There is no journal" in missing.stderr

    written(place.journal("w"))
    told = CliRunner().invoke(cli, ["since"])
    assert told.exit_code == 0, told.stderr
    lines = told.output.splitlines()
    assert lines[0].startswith("You were away ") and "from Nov 14 22:13Z" in lines[0]
    assert lines[1].split() == ["cash", "5.00", "->", "--", "--"], "nobody knows without an engine"
    assert "BY OTHERS 1" in lines and lines[-1].endswith("  halt")

    found = json.loads(CliRunner().invoke(cli, ["since", "--json"]).output)
    assert (found["from"], found["by"]) == ("2023-11-14T22:13:20.000Z", "me") and found["until"].endswith("Z")
    assert (found["row"], found["newest"], found["days"]) == (0, 1, 0)
    assert (found["cash_then"], found["cash"], found["fees"]) == ("5.00", None, "0.00")
    assert found["orders"]["placed"] == found["cards"]["offered"] == found["alarms"]["count"] == 0
    assert [name for name in found if name in PARTS] == [*PARTS]
    ((line,), count) = found["hands"]["lines"], found["hands"]["count"]
    assert (count, line["text"], line["seen"]) == (1, "halt", True) and line["time"].endswith("Z")
    explained = CliRunner().invoke(cli, ["since", "--fields"]).output
    assert all(f"\n{name}:\n" in explained for name in ("since.orders", "since.cards", "since.part.lines"))

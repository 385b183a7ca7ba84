"""Journal verbs from a shell: what they say and how they end."""

from __future__ import annotations

import asyncio
from pathlib import Path

from click.testing import CliRunner, Result

from core.domain.clock import SystemClock
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

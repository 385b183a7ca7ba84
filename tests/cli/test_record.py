"""The models' record from a shell: of the demo's past, of a journal without an engine, and of nobody else."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from core.config import paths
from core.domain.clock import SystemClock
from core.engine.vetoes import VetoEnded
from core.journal.events import Event, Kind
from core.journal.opening import Identity
from core.journal.store import Durability, open_journal
from tests.engine.test_vetoes import veto
from tests.models.test_track import past
from tui.cli import cli


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PMCONSOLE_HOME", str(tmp_path))


def run(*arguments: str, verb: str = "score") -> Result:
    return CliRunner().invoke(cli, [verb, *arguments])


def test_the_demo_tells_of_its_simulated_past_before_any_engine_ran() -> None:
    ended = run()
    assert ended.exit_code == 0
    assert any(line.split()[:3] == ["KXHIGHNY", "SIM", "default"] for line in ended.output.splitlines())
    assert "KXHIGHNY default: SIM: the model adds +" in ended.output
    whole = run("--series", "KXHIGHNY")
    assert "a calibrated law" in whole.output and "KXHIGHMIA" not in whole.output
    assert whole.output.isascii()


def test_the_journal_of_a_desk_that_is_shut_tells_its_record() -> None:
    place = paths.profile("live")
    paths.prepare(place)
    assert run("--profile", "live").output.strip() == "No event that was forecast here has settled yet."
    assert json.loads(run("--profile", "live", "--json").output) == []
    assert run("--profile", "live", verb="vetoes").output.strip() == "Nothing has been vetoed here yet."
    path = place.journal("")

    async def write() -> None:
        who = Identity("", "live", "0", "b", "r1")
        journal = open_journal(
            path, who, SystemClock(), durability=Durability.NORMAL, on_fault=lambda _: None
        )
        for look, came in past(70):
            journal.append(Event(Kind.FORECAST, look))
            journal.append(Event(Kind.OUTCOME, came))
        journal.append(Event(Kind.VETO, veto(1, said="news")))
        journal.append(Event(Kind.VETO_OUTCOME, VetoEnded("", "P1", {"T": 0})))
        await journal.close()

    asyncio.run(write())
    (row,) = json.loads(run("--profile", "live", "--json").output)
    assert (row["series"], row["model"], row["days"], row["simulated"]) == ("KXHIGHNY", "m", 70, False)
    assert row["verdict"] == "proven" and len(row["pit"]) == 10 and row["clv"] is None
    assert run("--profile", "live", "--series", "KXLOW").output.strip() == (
        "No event of KXLOW that was forecast here has settled yet. There are some of: KXHIGHNY."
    )
    assert "a calibrated law" in run("--profile", "live", "--series", "kxhighny").output
    told = run("--profile", "live", verb="vetoes").output.splitlines()
    assert told[0].startswith("1 vetoed trade settled: saved 4.07 if filled whole")
    (row,) = json.loads(run("--profile", "live", "--json", verb="vetoes").output)["vetoes"]
    assert (row["reason"], row["made"], row["ended"]) == ("news", "-4.07", True)


def test_every_field_is_explained() -> None:
    ended = run("--fields")
    assert ended.exit_code == 0
    assert "score.bins:" in ended.output and "closing-line value" in ended.output
    assert "vetoes.worth:" in run("--fields", verb="vetoes").output

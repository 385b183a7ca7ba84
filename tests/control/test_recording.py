"""Which disks a desk takes for its journal, and what it says about the others."""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path

import pytest

from core.config.paths import Profile
from core.control import recording
from core.control.recording import check_disk
from core.domain.clock import SystemClock
from core.journal.device import Commits
from core.journal.files import JournalError

FAST = Commits(100, 2_000, 9_000)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """A disk as it is told to be."""
    told: dict[str, object] = {"kind": "ext4", "commits": FAST}

    def measured(*_: object) -> object:
        if isinstance(told["commits"], Exception):
            raise told["commits"]
        return told["commits"]

    monkeypatch.setattr(recording, "file_system", lambda directory: told["kind"])
    monkeypatch.setattr(recording, "measure_commits", measured)
    return told


def judged(profile: str) -> None:
    check_disk(Profile(profile, Path("/srv/pm")), SystemClock())


@pytest.mark.parametrize("profile", ["live", "kalshi-demo"])
def test_a_network_disk_is_refused(disk: dict[str, object], profile: str) -> None:
    disk["kind"] = "nfs4"
    with pytest.raises(JournalError, match=r"/srv/pm lies on a network file system \(nfs4\).*PMCONSOLE_HOME"):
        judged(profile)


def test_a_slow_disk_is_refused_for_real_money_and_named_for_play_money(
    disk: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    disk["commits"] = Commits(20, 100_000, 251_000)
    with pytest.raises(JournalError, match=r"too long to sync \(20 commits: .*p99 251\.00 ms\)"):
        judged("live")
    judged("kalshi-demo")
    assert "too long to sync" in caplog.text


@pytest.mark.parametrize(
    ("kind", "commits", "said"),
    [
        ("ext4", Commits(100, 5, 30), "faster than any disk can sync"),
        ("tmpfs", FAST, "lies in memory (tmpfs)"),
    ],
)
def test_a_disk_that_may_forget_is_named(
    disk: dict[str, object], caplog: pytest.LogCaptureFixture, kind: str, commits: Commits, said: str
) -> None:
    disk |= {"kind": kind, "commits": commits}
    judged("live")
    assert said in caplog.text


def test_a_good_disk_is_not_worth_a_warning(
    disk: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    judged("live")
    assert [record.levelname for record in caplog.records] == ["INFO"]
    assert "p99 9.00 ms" in caplog.text


def test_a_disk_that_cannot_be_measured_is_refused(disk: dict[str, object]) -> None:
    disk["commits"] = sqlite3.OperationalError("disk I/O error")
    with pytest.raises(JournalError, match="cannot be measured: disk I/O error"):
        judged("live")

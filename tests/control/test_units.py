"""The service manager's side: units as text and files, and the datagrams that say the process lives."""

from __future__ import annotations

import asyncio
import configparser
import os
import socket
from pathlib import Path

import pytest

from core.config.paths import Profile
from core.control.notify import notifier
from core.control.units import UnitError, install, units

PLACE = Profile("live", Path("/home/t/.local/share/pmconsole/live"))


def parsed(text: str) -> configparser.RawConfigParser:
    found = configparser.RawConfigParser(strict=False)
    found.optionxform = str  # type: ignore[assignment,method-assign]  # systemd's keys have capitals
    found.read_string(text)
    return found


def test_both_units_stop_slowly_restart_seldom_and_gain_no_privileges() -> None:
    made = units(PLACE, None)
    assert [unit.name for unit in made] == [
        "pmconsole-engine-live.service",
        "pmconsole-watchdog-live.service",
    ]
    for unit, verb in zip(made, ("engine run", "watchdog run"), strict=True):
        found = parsed(unit.text)
        service = dict(found["Service"])
        assert service["ExecStart"].endswith(f"-m tui.cli {verb} --profile live")
        assert (service["Type"], service["TimeoutStopSec"], service["NoNewPrivileges"]) == (
            "notify",
            "45",
            "yes",
        )
        assert (service["Restart"], service["RestartSec"]) == ("on-failure", "2")
        assert dict(found["Unit"])["StartLimitBurst"] == "3"
        assert dict(found["Unit"])["StartLimitIntervalSec"] == "600"
        assert service["RestartPreventExitStatus"] == "2 75", "a refusal is not repeated"
        assert int(service["CPUWeight"]) > 100, "above a console's"
        assert "Environment" not in service


def test_a_home_of_its_own_is_handed_on_quoted() -> None:
    unit = units(PLACE, '/srv/my "desk"/100%')[0]
    assert r'Environment="PMCONSOLE_HOME=/srv/my \"desk\"/100%%"' in unit.text


def test_units_are_written_where_the_manager_looks(tmp_path: Path) -> None:
    made = units(PLACE, None)
    written = install(made, {"XDG_CONFIG_HOME": str(tmp_path)})
    assert [path.read_text() for path in written] == [unit.text for unit in made]
    assert written[0].parent == tmp_path / "systemd" / "user"
    (tmp_path / "file").write_text("")
    with pytest.raises(UnitError, match="cannot write"):
        install(made, {"XDG_CONFIG_HOME": str(tmp_path / "file")})


async def test_the_manager_hears_that_the_process_lives(tmp_path: Path) -> None:
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(2)
        tell = notifier(
            {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "40000", "WATCHDOG_PID": str(os.getpid())}
        )
        assert tell.every_s == 0.02
        tell.say("READY=1")
        assert manager.recv(64) == b"READY=1"
        telling = asyncio.create_task(tell.keep_telling())
        await asyncio.sleep(0)
        assert manager.recv(64) == b"WATCHDOG=1"
        telling.cancel()
    tell.say("STOPPING=1")  # a manager that has gone disturbs nobody


def test_without_a_manager_nothing_is_said(tmp_path: Path) -> None:
    notifier({}).say("READY=1")
    other = notifier({"NOTIFY_SOCKET": str(tmp_path / "n"), "WATCHDOG_USEC": "40000", "WATCHDOG_PID": "1"})
    assert other.every_s == 1.0, "meant for another process"

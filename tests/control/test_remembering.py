"""The sources' notes over a restart: kept whole, said where a disk refuses, begun anew where damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.control import remembering
from core.control.remembering import keep_memory, read_memory, write_memory
from core.feeds.memory import NOTE_BYTES_MAX, NOTES_MAX, Memory

from .alongside import Alarms, while_running


async def test_notes_are_there_after_a_restart_of_the_same_world_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembering, "WRITE_EVERY_S", 0.01)
    path, memory, alarms = tmp_path / "notes.json", Memory(), Alarms()
    memory.note("a", b'{"hours":{"1":2}}')

    def last() -> bool:
        memory.note("b", b"[1]")
        return True

    await while_running(keep_memory(path, "w1", memory, alarms, ""), path.exists, last)  # type: ignore[arg-type]
    found, fault = read_memory(path, "w1")
    assert (dict(found.notes), fault, alarms.said) == ({"a": b'{"hours":{"1":2}}', "b": b"[1]"}, "", [])
    assert path.stat().st_mode & 0o777 == 0o600
    assert not read_memory(path, "w2")[0].notes


@pytest.mark.parametrize("raw", [b"", b"[", b'{"world":"w1"}', b'{"world":"w1","notes":{"a":1},"x":2}'])
def test_a_damaged_file_is_said_and_begun_anew(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "notes.json"
    path.write_bytes(raw)
    found, fault = read_memory(path, "w1")
    assert not found.notes and fault == f"{path} is damaged: what sources noted is begun anew"
    assert read_memory(tmp_path / "none.json", "w1")[1] == ""
    assert "cannot be read (Is a directory)" in read_memory(tmp_path, "w1")[1]


async def test_a_disk_that_refuses_rings_until_it_takes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembering, "WRITE_EVERY_S", 0.01)
    path, memory, alarms = tmp_path / "not yet" / "notes.json", Memory(), Alarms()
    memory.note("a", b"1")

    def comes() -> bool:
        path.parent.mkdir()
        return True

    await while_running(
        keep_memory(path, "w1", memory, alarms, ""),  # type: ignore[arg-type]
        lambda: "cannot be written" in alarms.rung.get("memory", ""), comes,
        lambda: not alarms.rung, path.exists,
    )  # fmt: skip
    assert read_memory(path, "w1")[0].recall("a") == b"1"


def test_what_is_noted_stays_small(tmp_path: Path) -> None:
    memory = Memory()
    for number in range(NOTES_MAX + 2):
        memory.note(f"{number}", b"1")
    assert len(memory.notes) == NOTES_MAX and memory.recall("0") == b"" and memory.recall("2") == b"1"
    memory.note("2", b"1" * (NOTE_BYTES_MAX + 1))
    assert memory.recall("2") == b"", "nor is what was noted before it believed any more"
    write_memory(tmp_path / "x", "", dict(memory.notes))

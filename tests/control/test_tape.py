"""What sources sent, in files: every line whole, the space kept, a full disk one alarm and never a stop."""

from __future__ import annotations

import base64
import json
import resource
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from core.control import tape as tape_module
from core.control.tape import FILES, Tape
from core.feeds.recording import Recorded


def record(body: bytes, feed: str = "nws-grid") -> Recorded:
    return Recorded(feed, "https://x.example/a?key=(key)", 200, {"etag": '"1"'}, 1_700, 42, 1_800, body)


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def lines(directory: Path) -> list[dict[str, object]]:
    files = sorted(directory.glob("feeds-*.jsonl"))
    return [json.loads(line) for path in files for line in path.read_text().splitlines()]


def test_every_answer_is_a_line_with_its_times_and_the_body_as_it_came(tmp_path: Path) -> None:
    tape = Tape(tmp_path / "recordings", 1 << 20)
    tape.take(record(b'{"a": 1}\n'))
    tape.take(record(b"\xff\x00", feed="kraken"))
    tape.close()
    first, second = lines(tmp_path / "recordings")
    assert first == {
        "feed": "nws-grid", "what": "https://x.example/a?key=(key)", "status": 200,
        "headers": {"etag": '"1"'}, "wall_ms": 1_700, "ns": 42, "world_ms": 1_800, "body": '{"a": 1}\n',
    }  # fmt: skip
    assert base64.b64decode(str(second["base64"])) == b"\xff\x00" and "body" not in second
    (path,) = (tmp_path / "recordings").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_oldest_go_and_all_files_together_stay_within_the_space(tmp_path: Path) -> None:
    space = 80_000
    (tmp_path / "feeds-notes.jsonl").write_text("mine")
    for begun in (0, 150):  # a second run goes on behind the first
        tape = Tape(tmp_path, space)
        for number in range(begun, begun + 150):
            tape.take(record(f"{number:04}".encode() * 250))
        tape.close()
    held = [path for path in tmp_path.iterdir() if path.name != "feeds-notes.jsonl"]
    assert sum(path.stat().st_size for path in held) <= space
    assert len(held) in (FILES - 1, FILES)
    (tmp_path / "feeds-notes.jsonl").unlink()
    kept = [str(line["body"])[:4] for line in lines(tmp_path)]
    assert kept == [f"{number:04}" for number in range(300 - len(kept), 300)], "the newest, none missing"


def test_an_answer_that_would_fill_the_space_alone_is_dropped_and_counted(tmp_path: Path) -> None:
    tape = Tape(tmp_path, 80_000)
    tape.take(record(b"1"))
    tape.take(record(b"x" * 10_000))
    tape.take(record(b"3"))
    tape.close()
    assert tape.dropped == 1
    assert [line["body"] for line in lines(tmp_path)] == ["1", "3"]


def test_a_disk_that_refuses_is_told_once_and_nothing_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tape_module, "LINGER_S", 0.0)
    monkeypatch.setattr(tape_module, "AGAIN_S", 0.0)
    (tmp_path / "recordings").write_text("a file where the directory belongs")
    tape = Tape(tmp_path / "recordings", 1 << 20)
    tape.take(record(b"{}"))
    until(lambda: tape.fault and tape.dropped == 1)
    (tmp_path / "recordings").unlink()
    tape.take(record(b"{}"))
    until(lambda: not tape.fault)
    tape.close()
    assert len(lines(tmp_path / "recordings")) == 1


def test_what_was_written_before_the_disk_refused_is_not_counted_as_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tape_module, "LINGER_S", 60.0)
    kept = tmp_path / "feeds-00000000.jsonl"
    kept.mkdir()  # the oldest, and no file that can go
    tape = Tape(tmp_path, 80_000)
    for number in range(150):
        tape.take(record(f"{number:04}".encode() * 250))
    tape.close()
    kept.rmdir()
    held = lines(tmp_path)
    assert tape.fault and 0 < len(held) < 150
    assert tape.dropped == 150 - len(held)


def test_a_line_that_has_only_half_its_room_leaves_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tape_module, "LINGER_S", 60.0)
    tape = Tape(tmp_path, 1 << 20)
    size = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_500, size[1]))
    try:
        tape.take(record(b"x" * 1_000))
        tape.take(record(b"y" * 1_000))
        tape.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, size)
    assert (len(lines(tmp_path)), tape.dropped) == (1, 1)
    assert tape.fault == "No space left on device"


def test_what_the_disk_does_not_keep_up_with_is_dropped_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tape_module, "LINGER_S", 60.0)
    monkeypatch.setattr(tape_module, "QUEUED_BYTES_MAX", 2_000)
    tape = Tape(tmp_path, 1 << 20)
    for _ in range(5):
        tape.take(record(b"x" * 400))
    assert tape.dropped == 3
    tape.close()
    assert len(lines(tmp_path)) == 2

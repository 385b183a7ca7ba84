"""Everything the sources sent, as it came, in files of JSON lines: what a day can be replayed from.

One thread writes; the loop only queues. Files are cut and the oldest go, so that all of them together
stay within what the configuration allows. No fault here ever stops a source: it is told once.

A line holds ``feed``, ``what`` (the address without the key), ``status`` (0 for a frame), ``headers``,
``wall_ms``, ``ns``, ``world_ms`` and ``body`` as text, or ``base64`` where it is no UTF-8 text.
"""

from __future__ import annotations

import asyncio
import base64
import errno
import os
import re
import threading
from collections import deque
from io import FileIO
from pathlib import Path

import msgspec

from core.engine.engine import Engine
from core.engine.state import AlarmLevel
from core.feeds.recording import Recorded

FILES = 8
"""The space is shared by so many files; the oldest goes for a new one."""
QUEUED_BYTES_MAX = 16 << 20
"""What waits beyond it is not recorded: the disk does not keep up."""
RECORD_BYTES = 600
"""Of a frame in memory besides its body, which is often shorter."""
LINGER_S = 0.5
AGAIN_S = 30.0
"""After a fault of the disk nothing is tried for so long."""
LOOK_EVERY_S = 5.0
CLOSE_S_MAX = 5.0
_NAME = re.compile(r"feeds-\d{8}\.jsonl", re.ASCII)


class Tape:
    """``take`` is the loop's and never blocks; the rest happens in the thread."""

    def __init__(self, directory: Path, bytes_max: int) -> None:
        self._directory, self._bytes_max = directory, bytes_max
        self._wake = threading.Condition()
        self._queue: deque[Recorded] = deque()
        self._queued = 0
        self._closing = False
        self._file: FileIO | None = None
        self._size = 0
        self.dropped = 0
        """Answers that were not recorded."""
        self.fault = ""
        """What the disk said last; empty while it takes what it is given."""
        self._thread = threading.Thread(target=self._run, name="feed tape", daemon=True)
        self._thread.start()

    def take(self, record: Recorded) -> None:
        """Queue one answer or frame."""
        with self._wake:
            held = len(record.body) + RECORD_BYTES
            if self._queued + held > QUEUED_BYTES_MAX:
                self.dropped += 1
                return
            if not self._queue:  # else the thread is awake: it lingers for more, or sits out a fault
                self._wake.notify()
            self._queue.append(record)
            self._queued += held

    def close(self) -> None:
        """Write what waits and end."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join(CLOSE_S_MAX)

    # --- the thread ------------------------------------------------------------------------------

    def _run(self) -> None:
        while (batch := self._next()) is not None:
            left = len(batch)
            try:
                for record in batch:
                    self._write(_line(record))
                    left -= 1
                self.fault = ""
            except OSError as error:
                self._miss(left)
                self.fault = f"{error.strerror or error}"
                self._drop_file()
                with self._wake:
                    self._wake.wait_for(lambda: self._closing, AGAIN_S)
        self._drop_file()

    def _next(self) -> list[Recorded] | None:
        with self._wake:
            self._wake.wait_for(lambda: self._queue or self._closing)
            if not self._queue:
                return None
            self._wake.wait_for(lambda: self._closing, LINGER_S)
            batch = list(self._queue)
            self._queue.clear()
            self._queued = 0
            return batch

    def _write(self, line: bytes) -> None:
        share = self._bytes_max // FILES
        if len(line) > share:
            self._miss(1)
            return
        if self._file is None or self._size + len(line) > share:
            self._begin_file()
        assert self._file is not None
        if self._file.write(line) < len(line):  # a full disk takes what it has room for
            self._file.truncate(self._size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._size += len(line)

    def _begin_file(self) -> None:
        """A new file behind the newest; the oldest go until a whole new one fits."""
        self._drop_file()
        self._directory.mkdir(mode=0o700, exist_ok=True)
        held = sorted(path for path in self._directory.iterdir() if _NAME.fullmatch(path.name))
        number = int(held[-1].stem.rpartition("-")[2]) + 1 if held else 1
        room = self._bytes_max - self._bytes_max // FILES
        while held and sum(path.stat().st_size for path in held) > room:
            held.pop(0).unlink()
        path = self._directory / f"feeds-{number:08}.jsonl"
        self._file = os.fdopen(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb", buffering=0
        )
        self._size = 0

    def _miss(self, answers: int) -> None:
        with self._wake:  # the loop counts, too
            self.dropped += answers

    def _drop_file(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except OSError as error:
                self.fault = f"{error.strerror or error}"


def _line(record: Recorded) -> bytes:
    try:
        body = {"body": record.body.decode()}
    except UnicodeDecodeError:
        body = {"base64": base64.b64encode(record.body).decode()}
    facts = {
        "feed": record.feed,
        "what": record.what,
        "status": record.status,
        "headers": dict(record.headers),
        "wall_ms": record.received_wall_ms,
        "ns": record.received_ns,
        "world_ms": record.world_ms,
    }
    return msgspec.json.encode(facts | body) + b"\n"


async def watch_tape(tape: Tape, engine: Engine) -> None:
    """One alarm while the disk does not take what the sources sent."""
    told = 0
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        fault = tape.fault or ("more comes than the disk or record_mb takes" if tape.dropped > told else "")
        told = tape.dropped
        if fault:
            what = f"what the sources send is not recorded: {fault}; {tape.dropped} answers are missing"
            clears = "a disk with room, or record = false in [feeds]"
            engine.desk.alarms.raise_("feed tape", AlarmLevel.CHECK, what, "none on trading", clears)
        else:
            engine.desk.alarms.clear("feed tape")

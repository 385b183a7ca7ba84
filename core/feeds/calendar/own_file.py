"""A file the operator keeps by hand as a source: looked at often, and off while there is none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from core.domain.clock import Clocks
from core.feeds.feed import FeedHealth, FeedState, Tried
from core.feeds.fetch import Failed
from core.feeds.polling import Polled
from core.feeds.releases import Calendar, Views
from core.feeds.wiring import Wiring

BYTES_MAX = 256 * 1024


class Form(msgspec.Struct, frozen=True):
    """What one of these files is."""

    file: str
    read: Callable[[str, str, Clocks], Calendar | Views | str]
    """What its text says, or file, line, fault and remedy in a sentence; the second is the file's name."""
    none_there: str
    """What to say while there is none; ``{path}`` is where it would be."""
    too_large: str
    """How to make it smaller."""
    dated: bool
    """Whether it holds as of what it says itself, not as of when it was looked at."""


class OwnFile:
    """A faulty one leaves what was held and names the line; taking it away takes away what it said."""

    def __init__(self, wiring: Wiring, form: Form) -> None:
        self.key, self.stale_after_s = form.file, wiring.of.stale_after_s
        self.newest_ms: int | None = None
        directory = wiring.shared.directory
        self._path = directory / form.file if directory is not None else None
        self._form, self._clocks, self._sink = form, wiring.shared.clocks, wiring.shared.sink
        self._read, self._dated_ms = b"", 0
        self.absent = True
        """As of the last look; an empty one is none either."""

    @property
    def none_there(self) -> str:
        """What to say of it while it is absent."""
        return self._form.none_there.format(path=self._path or self.key)

    async def poll(self) -> Polled | Failed:
        raw = read_bytes(self._path) if self._path is not None else b""
        self.absent = raw == b""
        if isinstance(raw, Failed):
            return raw
        changed = raw != self._read
        if changed:
            said = self._said(raw, str(self._path))
            if isinstance(said, str):
                return Failed(said, 200)
            self._read, self._dated_ms = raw, said.stamp.event_ms
            self._sink(said)
        if self.absent:
            self.newest_ms = None
        else:
            self.newest_ms = self._dated_ms if self._form.dated else self._clocks.world_ms()
        return Polled(self._clocks.mono_ns(), changed)

    def _said(self, raw: bytes, name: str) -> Calendar | Views | str:
        if len(raw) > BYTES_MAX:
            return f"{name}: larger than {BYTES_MAX // 1024} KB: {self._form.too_large}"
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            line = raw[: error.start].count(b"\n") + 1
            return f"{name}:{line}: not UTF-8 text: save the file as UTF-8"
        return self._form.read(text, name, self._clocks)


def read_bytes(path: Path) -> bytes | Failed:
    """What the operator's file holds, nothing where there is none; or why it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(BYTES_MAX + 1)
    except FileNotFoundError:
        return b""
    except OSError as error:
        return Failed(f"{path}: cannot be read ({error.strerror}): correct its permissions", 200)


class OwnFeed:
    """Fulfils ``Feed`` for such a file: without one it is off, which is nothing to look at."""

    def __init__(self, wiring: Wiring, form: Form) -> None:
        self.name = wiring.of.label
        self._file = OwnFile(wiring, form)
        self._looks = wiring.polled([self._file])

    async def run(self) -> None:
        await self._looks.run()

    async def trial(self) -> Tried:
        found = await self._looks.trial()
        return Tried(False, self._file.none_there) if self._file.absent else found

    def health(self) -> FeedHealth:
        found = self._looks.health()
        if not self._file.absent:
            return found
        return msgspec.structs.replace(found, state=FeedState.OFF, detail=self._file.none_there)

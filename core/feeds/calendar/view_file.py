"""The operator's views as a source: their file is looked at often, and lines are added to its end."""

from __future__ import annotations

from pathlib import Path

from core.feeds.calendar.eastern import eastern_day
from core.feeds.calendar.files import BYTES_MAX, read_bytes
from core.feeds.calendar.views import FILE, HEADER, parse_views, written
from core.feeds.declaration import Declaration, Family
from core.feeds.feed import Feed, FeedHealth, FeedState, Stamp, Tried
from core.feeds.fetch import Failed
from core.feeds.polling import Polled
from core.feeds.releases import View, Views
from core.feeds.wiring import Wiring

OWN = Declaration(
    name="own-views",
    label="OWNVIEWS",
    family=Family.CALENDAR,
    gives=f"what you expect of figures to come, in your own {FILE}",
    urls={},
    every_s=5,
    stale_after_s=3_600,
)


def append(path: Path, view: View) -> str:
    """Add a view to the end of the file, with the columns' names where it is new; what stands there stays.

    Returns why it could not, a sentence; empty where it is done. It does not wait for the disk: the journal
    has the view too."""
    try:
        held = path.stat().st_size if path.exists() else 0
        if held + 1_000 > BYTES_MAX:
            return f"{path} is larger than {BYTES_MAX // 1024} KB: move its oldest lines to another file."
        lines = "" if held else ",".join(HEADER) + "\n"
        if held and not path.read_bytes().endswith(b"\n"):
            lines = "\n"
        with path.open("ab") as file:
            file.write(f"{lines}{written(view)}\n".encode())
    except OSError as error:
        return f"{path} cannot be written ({error.strerror}): correct its permissions, then enter it again."
    return ""


class ViewFile:
    """A faulty file leaves what was held and names the line; taking it away takes its views away."""

    key = FILE
    stale_after_s = OWN.stale_after_s

    def __init__(self, wiring: Wiring) -> None:
        self.newest_ms: int | None = None
        directory = wiring.shared.directory
        self._path = directory / FILE if directory is not None else None
        self._clocks, self._sink = wiring.shared.clocks, wiring.shared.sink
        self._read = b""
        self.absent = True
        """As of the last look; an empty one is none either."""

    @property
    def none_there(self) -> str:
        """What to say of it while it is absent."""
        return (
            f"You have entered none: markets on figures have no price before you do, by 'pmconsole view', "
            f"':view', or in {self._path or FILE}."
        )

    async def poll(self) -> Polled | Failed:
        raw = read_bytes(self._path) if self._path is not None else b""
        self.absent = raw == b""
        if isinstance(raw, Failed):
            return raw
        changed = raw != self._read
        if changed:
            views = _parsed(raw, str(self._path), eastern_day(self._clocks.world_ms()).isoformat())
            if isinstance(views, str):
                return Failed(views, 200)
            self._read = raw
            stamp = Stamp(self._clocks.world_ms(), self._clocks.wall_ms(), self._clocks.mono_ns())
            self._sink(Views(OWN.name, views, stamp))
        self.newest_ms = self._clocks.world_ms()
        return Polled(self._clocks.mono_ns(), changed)


def _parsed(raw: bytes, name: str, today: str) -> tuple[View, ...] | str:
    if len(raw) > BYTES_MAX:
        return f"{name}: larger than {BYTES_MAX // 1024} KB: move its oldest lines to another file"
    try:
        return parse_views(raw.decode("utf-8"), name, today)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        return f"{name}:{line}: not UTF-8 text: save the file as UTF-8"


class ViewFeed:
    """Fulfils ``Feed``: without a file it is off, which is nothing to look at."""

    def __init__(self, wiring: Wiring) -> None:
        self.name = wiring.of.label
        self._file = ViewFile(wiring)
        self._looks = wiring.polled([self._file])

    async def run(self) -> None:
        await self._looks.run()

    async def trial(self) -> Tried:
        found = await self._looks.trial()
        return Tried(False, self._file.none_there) if self._file.absent else found

    def health(self) -> FeedHealth:
        if self._file.absent:
            found = self._looks.health()
            return FeedHealth(
                found.name, FeedState.OFF, None, None, found.stale_after_s,
                detail=self._file.none_there, source=found.source, family=found.family,
            )  # fmt: skip
        return self._looks.health()


def view_feed(wiring: Wiring) -> Feed:
    return ViewFeed(wiring)

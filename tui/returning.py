"""What this console saw last, and what happened until it came back: told on attach before any card arms."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from core.config.seen import Seen, read_seen, write_seen
from tui import recall
from tui.tables import Now

if TYPE_CHECKING:
    from core.journal.digest import Digest
    from tui.app import PmConsole

SAVE_EVERY_NS = 10_000_000_000
AWAY_MS = 15_000
"""Less is no absence: what was seen is written down a few times a minute only."""


class Record(NamedTuple):
    """Where the desk's past is kept."""

    seen: Path
    journal: Callable[[str], Path]
    """By the id of the simulated world, empty on a real venue."""


class Told(NamedTuple):
    """One digest: since when, what, and when it was made."""

    since: Seen
    digest: Digest
    wall_ms: int


class Returning:
    """``record`` is ``None`` where there is no past to read."""

    def __init__(self, app: PmConsole, record: Record | None) -> None:
        self._app, self._record = app, record
        self._attached = False
        self.was_here = False
        """Whether this console has been attached before."""
        self._seen: Seen | None = None
        self._noted: Seen | None = None
        """What the next console is told of: only what one in control has shown."""
        self._saved: Seen | None = None
        self._saved_ns = 0
        self._fault = ""
        """Why it could not be written down, said once."""
        self._came_from: Seen | None = None
        """Since when is told what has not been read yet."""
        self.told: Told | None = None
        """The newest digest."""

    @property
    def unread(self) -> bool:
        """Whether what happened has still to be read: nothing counts as seen, and no card arms."""
        return self._came_from is not None

    def lost(self) -> None:
        """The engine's line is gone."""
        self._attached = False

    def saw(self, now: Now) -> bool:
        """A frame was taken: note what has been seen; true for the first one of an attach."""
        attaches = not self._attached
        if attaches:
            self._attached = True
            self._greet(now)
            self._look_back(now)
        self._note(now)
        return attaches

    def _greet(self, now: Now) -> None:
        """Say that a running desk was found."""
        view, say = self._app.view, self._app.operator.say
        if self.was_here:
            say("Attached again.", "coach", now, 10**10)
        elif view.working() or view.held():
            orders, held = (
                f"{many} {noun}{'' if many == 1 else 's'}"
                for many, noun in ((len(view.working()), "order"), (len(view.held()), "position"))
            )
            text = f"Attached to a running desk: {orders}, {held}."
            say(text, "coach", now, 8 * 10**9)
        self.was_here = True

    # --- looking back -----------------------------------------------------------------------------

    def _look_back(self, now: Now) -> None:
        """Read what happened, in a thread; until that is known no card arms. Not while another console has
        control: then somebody was here."""
        record, status = self._record, self._app.view.status
        controls = self._app.operator.controls
        if record is None or status is None or (status.controller and not controls):
            return
        since = self._came_from or self._seen or read_seen(record.seen)
        if since is None or since.world_id != status.world_id or now.wall_ms - since.wall_ms < AWAY_MS:
            return
        self._came_from = self._seen = since
        self._app.operator.arming.unread = True
        own = {since.who, status.controller}
        path = record.journal(status.world_id)
        self._app.run_worker(self._tell(path, since, own - {""}, now), group="returning", exclusive=True)

    async def _tell(self, path: Path, since: Seen, own: set[str], now: Now) -> None:
        from tui.screens.digest import DigestScreen

        app = self._app
        try:
            digest = await asyncio.to_thread(recall.since, path, since.seq, own)
        except recall.RecallError as error:
            app.operator.say(f"What happened since you left cannot be told: {error}", "near", app.clock())
            self.read(app.clock())
            return
        if digest.quiet:
            self.read(app.clock())
            return
        self.told = Told(since, digest, now.wall_ms)
        if app.screen_name != DigestScreen.name_in_registry:
            app.conversation.close()
            app.push_screen(DigestScreen())
        app.repaint()

    def read(self, now: Now) -> None:
        """The operator has read it, or there was nothing to read: cards arm from now on."""
        self._came_from = None
        self._app.operator.arming.release(now.mono_ns)

    # --- noting -----------------------------------------------------------------------------------

    def _note(self, now: Now) -> None:
        """What has been shown; the first frames bring old rows."""
        view, status = self._app.view, self._app.view.status
        if self.unread or status is None or view.unseen:
            return
        newest = view.journal[-1].seq if view.journal else 0
        before = self._seen.seq if self._seen is not None and self._seen.world_id == status.world_id else 0
        self._seen = Seen(
            status.world_id,
            max(newest, before),
            now.wall_ms,
            status.controller,
            status.cash,
            status.today_pnl,
            status.open_pnl,
        )
        if not self._app.operator.controls:
            return
        self._noted = self._seen
        if now.mono_ns - self._saved_ns >= SAVE_EVERY_NS:
            self._saved_ns = now.mono_ns
            self._app.run_worker(self.save(), group="seen")

    async def save(self) -> None:
        """Write down what was seen last, for the next console."""
        seen, record = self._noted, self._record
        if record is None or seen is None or seen == self._saved:
            return
        self._saved = seen
        try:
            await asyncio.to_thread(write_seen, record.seen, seen)
        except OSError as error:
            before, self._fault = self._fault, error.strerror or type(error).__name__
            if self._fault != before:
                text = f"{record.seen} cannot be written: {self._fault}; you will be told again what you saw"
                self._app.operator.say(text, "near", self._app.clock())

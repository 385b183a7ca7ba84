"""Markets the operator marked: sorted before the others, found by ``watch``, kept in the profile's folder."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from tui.format import sanitise

if TYPE_CHECKING:
    from tui.app import PmConsole

SAID_NS = 8_000_000_000


class Watching:
    """``path`` is ``None`` where nothing is kept. The file is read and written beside the loop."""

    def __init__(self, app: PmConsole, path: Path | None) -> None:
        self._app, self._path = app, path
        self._turn = asyncio.Lock()

    async def load(self) -> None:
        """Read what was marked; a file that cannot be used is said in a sentence and left as it is."""
        from core.config.watchlist import WatchlistError, read_watchlist

        if self._path is None:
            return
        try:
            self._app.operator.watched = await asyncio.to_thread(read_watchlist, self._path)
        except WatchlistError as error:
            self._say(str(error), "near")

    def toggle(self, key: int | None) -> None:
        """Mark a market, or no longer."""
        static = self._app.view.statics.get(key) if key is not None else None
        if static is None:
            self._say("no market under the cursor", "text-muted")
        elif self._path is None:
            self._say("this console has no folder to keep marks in", "near")
        else:
            market = (static.venue, static.ticker)
            self._app.run_worker(self._mark(self._path, market, static.label), group="watch")

    async def _mark(self, path: Path, market: tuple[str, str], label: str) -> None:
        from core.config.watchlist import WatchlistError, mark

        operator = self._app.operator
        async with self._turn:  # each press turns round what the one before it left
            watched = market not in operator.watched
            try:
                operator.watched = await asyncio.to_thread(mark, path, market, watched=watched)
            except WatchlistError as error:
                self._say(f"{label} not marked: {error}", "near")
                return
            except OSError as error:
                self._say(f"{label} not marked: {path} cannot be written: {error.strerror}", "near")
                return
        self._say(f"{label}: watched" if watched else f"{label}: no longer watched", "text")

    def _say(self, text: str, role: str) -> None:
        self._app.operator.say(sanitise(text), role, self._app.clock(), SAID_NS)
        self._app.painter.soon()

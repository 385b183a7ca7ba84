"""Markets the operator marked: sorted before the others, found by ``watch``, kept in lists by name."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tui.format import sanitise

if TYPE_CHECKING:
    from core.config.watchlist import Watchlists
    from tui.app import PmConsole

SAID_NS = 8_000_000_000


class Watching:
    """``path`` is ``None`` where nothing is kept. The file is read and written beside the loop."""

    def __init__(self, app: PmConsole, path: Path | None) -> None:
        self._app, self._path = app, path
        self._turn = asyncio.Lock()
        self._lists: Watchlists | None = None
        """As the file had them last; ``None`` until one could be read."""

    @property
    def names(self) -> Iterable[str]:
        """Lists that hold something."""
        return self._lists.sizes() if self._lists is not None else ()

    async def load(self) -> bool:
        """Read what was marked; a file that cannot be used is said in a sentence and left as it is."""
        from core.config.watchlist import read_watchlists

        return self._path is not None and await self._take(partial(read_watchlists, self._path), "")

    def toggle(self, key: int | None) -> None:
        """Mark a market in the current list, or no longer."""
        static = self._app.view.statics.get(key) if key is not None else None
        if static is None:
            self._say("no market under the cursor", "text-muted")
        elif self._path is None:
            self._nowhere()
        else:
            market = (static.venue, static.ticker)
            self._app.run_worker(self._mark(self._path, market, static.label), group="watch")

    def choose(self, name: str) -> None:
        """Go on with the list of that name, a new one too; without a name tell which there are."""
        tickers = (static.ticker.casefold() for static in self._app.view.statics.values())
        if self._path is None:
            self._nowhere()
        elif name.casefold() in tickers:
            self._say(f"{name} is a market: * marks the one under the cursor", "near")
        elif name:
            self._app.run_worker(self._choose(self._path, name.casefold()), group="watch")
        else:
            self._tell()

    async def _mark(self, path: Path, market: tuple[str, str], label: str) -> None:
        from core.config.watchlist import mark

        operator = self._app.operator
        async with self._turn:  # each press turns round what the one before it left
            if self._lists is None and not await self.load():
                return
            watched = market not in operator.watched
            marked = partial(mark, path, operator.watchlist, market, watched=watched)
            if await self._take(marked, f"{label} not marked: "):
                self._say(f"{label}: watched" if watched else f"{label}: no longer watched", "text")

    async def _choose(self, path: Path, name: str) -> None:
        from core.config.watchlist import choose

        async with self._turn:
            if await self._take(partial(choose, path, name), ""):
                self._tell()

    async def _take(self, work: Callable[[], Watchlists], what: str) -> bool:
        """Have the file read or written; what it holds then is what is watched. ``what`` begins the sentence
        of what is wrong with it."""
        from core.config.watchlist import WatchlistError

        try:
            lists = await asyncio.to_thread(work)
        except WatchlistError as error:
            self._say(f"{what}{error}", "near")
            return False
        except OSError as error:
            self._say(f"{what}{self._path} cannot be written: {error.strerror}", "near")
            return False
        operator, self._lists = self._app.operator, lists
        operator.watchlist, operator.watched = lists.current, lists.watched
        return True

    def _tell(self) -> None:
        """Which list this is, and which others there are."""
        operator, sizes = self._app.operator, self._lists.sizes() if self._lists is not None else {}
        count = sizes.pop(operator.watchlist, 0)
        many = "1 market" if count == 1 else f"{count} markets"
        holds = many if count else "nothing in it yet, * marks the market under the cursor"
        others = ", ".join(f"{name} {size}" for name, size in sizes.items())
        told = f"watchlist {operator.watchlist}: {holds}" + (f"; others: {others}" if others else "")
        self._say(told, "text")

    def _nowhere(self) -> None:
        self._say("this console has no folder to keep marks in", "near")

    def _say(self, text: str, role: str) -> None:
        self._app.operator.say(sanitise(text), role, self._app.clock(), SAID_NS)
        self._app.painter.soon()

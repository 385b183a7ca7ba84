"""The operator's watchlists: ``watch.toml`` in the profile's folder, tickers by list and venue.

current = "weather"

[lists.weather]
kalshi = ["KXHIGHNY-26NOV23-B48.5"]
"""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import tomli_w

from core.config.secrets import write_private
from core.config.toml import TomlError, read_toml

MAIN = "main"
"""The list of whoever has named none."""
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,19}", re.ASCII)
_SIZE_MAX = 1024 * 1024

Market = tuple[str, str]
"""Venue and ticker."""


class WatchlistError(Exception):
    """The file cannot be used, or no list can have that name; the text says why and what to do."""


class Watchlists(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    current: str = MAIN
    """The one that was used last; only this one may hold nothing."""
    lists: dict[str, dict[str, frozenset[str]]] = {}
    """Tickers by list and venue."""

    @property
    def watched(self) -> frozenset[Market]:
        """The markets of the current list."""
        venues = self.lists.get(self.current, {})
        return frozenset((venue, ticker) for venue, tickers in venues.items() for ticker in tickers)

    def sizes(self) -> dict[str, int]:
        """How many markets each list holds, by name."""
        return {name: sum(map(len, self.lists[name].values())) for name in sorted(self.lists)}


def check_name(name: str) -> None:
    """Raises ``WatchlistError`` for what cannot be the name of a list."""
    if not _NAME.fullmatch(name):
        raise WatchlistError(
            f"a watchlist cannot be called {name[:40]!r}: use up to 20 small letters, digits and dashes"
        )


def read_watchlists(path: Path) -> Watchlists:
    """None of them without a file; raises ``WatchlistError``."""
    try:
        with path.open("rb") as file:
            raw = file.read(_SIZE_MAX + 1)
    except FileNotFoundError:
        return Watchlists()
    except OSError as error:
        raise WatchlistError(f"{path} cannot be read: {error.strerror}") from error
    remedy = "mend it or take it away; until then nothing is marked"
    if len(raw) > _SIZE_MAX:
        raise WatchlistError(f"{path} is longer than {_SIZE_MAX} bytes: {remedy}")
    try:
        found = msgspec.convert(read_toml(raw.decode()), Watchlists)
        for name in (found.current, *found.lists):
            check_name(name)
    except (TomlError, UnicodeDecodeError) as error:
        raise WatchlistError(f"{path} is no TOML ({str(error)[:80]}): {remedy}") from error
    except (msgspec.ValidationError, WatchlistError) as error:
        raise WatchlistError(f"{path} holds no watchlists ({str(error)[:120]}): {remedy}") from error
    return found


def mark(path: Path, name: str, market: Market, *, watched: bool) -> Watchlists:
    """Add a market to a list of the file as it is now, or take it out; that list is the current one then.
    Raises ``WatchlistError`` for a file that it would lose, and ``OSError``."""
    (venue, ticker), before = market, read_watchlists(path)
    venues = before.lists.get(name, {})
    tickers = venues.get(venue, frozenset())
    changed = tickers | {ticker} if watched else tickers - {ticker}
    return _write(path, before, Watchlists(name, {**before.lists, name: {**venues, venue: changed}}))


def choose(path: Path, name: str) -> Watchlists:
    """Make a list the current one, one that holds nothing yet as well. Raises as ``mark`` does."""
    check_name(name)
    before = read_watchlists(path)
    return _write(path, before, msgspec.structs.replace(before, current=name))


def _write(path: Path, before: Watchlists, after: Watchlists) -> Watchlists:
    """As a whole, for its owner only, without lists that hold nothing; returns what is kept then."""
    lists = {
        name: held
        for name, venues in after.lists.items()
        if (held := {venue: tickers for venue, tickers in venues.items() if tickers})
    }
    kept = Watchlists(after.current, lists)
    if kept != before:
        write_private(path, tomli_w.dumps(msgspec.to_builtins(kept, order="deterministic")).encode())
    return kept

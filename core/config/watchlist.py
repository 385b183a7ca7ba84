"""The markets that the operator watches: ``watch.toml`` in the profile's folder, by venue and ticker."""

from __future__ import annotations

import tomllib
from pathlib import Path

import tomli_w

from core.config.secrets import write_private

_SIZE_MAX = 1024 * 1024

Watched = frozenset[tuple[str, str]]
"""Venue and ticker of each market."""


class WatchlistError(Exception):
    """The file cannot be used; the text names it, says why and what to do."""


def read_watchlist(path: Path) -> Watched:
    """Empty without a file; raises ``WatchlistError``."""
    try:
        with path.open("rb") as file:
            raw = file.read(_SIZE_MAX + 1)
    except FileNotFoundError:
        return frozenset()
    except OSError as error:
        raise WatchlistError(f"{path} cannot be read: {error.strerror}") from error
    remedy = "mend it or take it away; until then nothing is marked"
    if len(raw) > _SIZE_MAX:
        raise WatchlistError(f"{path} is longer than {_SIZE_MAX} bytes: {remedy}")
    try:
        found = tomllib.loads(raw.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WatchlistError(f"{path} is no TOML ({str(error)[:80]}): {remedy}") from error
    for venue, tickers in found.items():
        if not isinstance(tickers, list) or not all(isinstance(ticker, str) for ticker in tickers):
            raise WatchlistError(f'{path}: {venue[:40]} must be a list of tickers, ["A", "B"]: {remedy}')
    return frozenset((venue, ticker) for venue, tickers in found.items() for ticker in tickers)


def mark(path: Path, market: tuple[str, str], *, watched: bool) -> Watched:
    """Add a market to the file as it is now, or take it out; returns all that is watched then. Written as a
    whole, for its owner only. Raises ``WatchlistError`` for a file that it would lose, and ``OSError``."""
    before = read_watchlist(path)
    after = before | {market} if watched else before - {market}
    if after != before:
        venues = sorted({venue for venue, _ in after})
        table = {name: sorted(ticker for venue, ticker in after if venue == name) for name in venues}
        write_private(path, tomli_w.dumps(table).encode())
    return after

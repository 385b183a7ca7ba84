"""``pmconsole flatten --direct`` as a process: no engine, no journal, the profile's own keys.

It takes the engine's lock, so that no engine starts beside it; an engine that answers is asked
instead. One that holds the lock and does not answer may wake up at any moment: everything is
cancelled beside it, and nothing is sold until it is ended.
"""

from __future__ import annotations

import asyncio
import os
import random
import secrets
from collections.abc import Awaitable, Callable

from core.config import paths
from core.config.paths import Profile, socket_path
from core.config.secrets import KeyFileError
from core.config.settings import load
from core.control.accounts import UNUSABLE, Opened, open_each
from core.control.client import ConnectError, Line
from core.control.lock import LockFileError, LockHeldError, sole_holder
from core.control.protocol import VERSION, Hello
from core.control.sealed import seal
from core.control.signing import signer_at
from core.control.site import clock_of, site_of, trades_kalshi
from core.control.wallet import wallet_of
from core.domain.clock import Clocks, SystemClock
from core.domain.faults import fault_words
from core.domain.text import clean_text
from core.execution.direct import Direct, DirectVenue
from core.venues.kalshi.direct import KalshiDirect
from core.venues.kalshi.traits import TRAITS as KALSHI
from core.venues.polymarket.direct import PolymarketDirect
from core.venues.polymarket.traits import TRAITS as POLYMARKET

FLAT, NOT_FLAT, USAGE, ENGINE_ANSWERS = 0, 1, 2, 75
Tell = Callable[[str], None]


class RefusedError(Exception):
    """Nothing was done; the text is the sentence for the operator, ``code`` the exit code."""

    def __init__(self, text: str, code: int = USAGE) -> None:
        super().__init__(text)
        self.code = code


_REFUSALS = (*UNUSABLE, paths.ProfileError, LockFileError)


def flatten(place: Profile, tell: Tell, *, urgent: bool) -> int:
    """Cancel and sell everything of the profile; the exit code. Raises ``RefusedError``."""
    seal()
    try:
        paths.prepare(place)
        clocks = Clocks(SystemClock(), clock_of(place))
        opened = _open(place, clocks, tell)
        try:
            with sole_holder(place.lock):
                # Whoever starts the next engine finds the desk halted and is asked.
                place.flatten_flag.touch(mode=0o600)
                return asyncio.run(_sell(opened, clocks, tell, urgent=urgent))
        except LockHeldError as held:
            _refuse_beside(place)
            tell(f"{held}; it does not answer: everything is cancelled beside it, nothing is sold")
            asyncio.run(_cancel(opened, clocks, tell))
            tell("end that process (kill -9), then repeat this command to sell what is held")
            return NOT_FLAT
    except _REFUSALS as error:
        raise RefusedError(str(error)) from error


def _refuse_beside(place: Profile) -> None:
    """An engine that answers does it better. Raises ``RefusedError``."""
    hello = Hello(VERSION, "command", "cli", os.getpid(), "direct")
    try:
        Line(socket_path(place), hello).close()
    except ConnectError:
        return
    raise RefusedError(f"the engine answers: use {place.command('flatten')}", ENGINE_ANSWERS)


Accounts = Opened[Callable[[], DirectVenue]]
"""Made where a loop runs: they hold connections."""


async def _sell(opened: Accounts, clocks: Clocks, tell: Tell, *, urgent: bool) -> int:
    """On every venue at once; flat only where all of them are."""

    async def sell(run: Direct, venue: DirectVenue, tell: Tell) -> bool:
        if venue.unable:
            await run.cancel()
            tell(f"NOT FLAT, everything is cancelled and nothing can be sold: {venue.unable}")
            return False
        ended = await run.flatten()
        tell(str(ended))
        return not ended.residue

    flat = await _everywhere(opened, clocks, tell, sell, urgent=urgent)
    return FLAT if all(flat) else NOT_FLAT


async def _cancel(opened: Accounts, clocks: Clocks, tell: Tell) -> None:
    async def cancel(run: Direct, _: DirectVenue, __: Tell) -> bool:
        await run.cancel()
        return True

    await _everywhere(opened, clocks, tell, cancel)


async def _everywhere(
    opened: Accounts,
    clocks: Clocks,
    tell: Tell,
    work: Callable[[Direct, DirectVenue, Tell], Awaitable[bool]],
    *,
    urgent: bool = False,
) -> list[bool]:
    """Do it on every venue side by side; what breaks on one, its end included, counts as not done there.

    Whatever it is: raised, it would end the loop under the venues that are still selling.
    """
    run, several = secrets.token_hex(4), len(opened.accounts) + len(opened.missing) > 1
    for name, why in opened.missing.items():
        tell(f"{name} NOTHING IS DONE THERE: {why}")

    async def one(venue: DirectVenue) -> bool:
        said = _named(venue, tell) if several else tell
        try:
            try:
                return await work(Direct(venue, clocks, _rng(), run, said, urgent=urgent), venue, said)
            finally:
                await venue.close()
        except Exception as fault:  # noqa: BLE001 - said, and the venue counts as not flat
            said(f"NOT FLAT, this venue's part broke: {fault_words(fault)}")
            return False

    done = await asyncio.gather(*(one(make()) for make in opened.accounts))
    return [*done, *(False for _ in opened.missing)]


def _named(venue: DirectVenue, tell: Tell) -> Tell:
    return lambda text: tell(f"{venue.traits.venue.short} {text}")


def _rng() -> random.Random:
    return random.Random(secrets.randbits(128))


def _open(place: Profile, clocks: Clocks, tell: Tell) -> Accounts:
    """Every account of the profile, over plain requests."""

    def odd(what: str, detail: str) -> None:
        tell(f"{what}: {clean_text(detail)}")

    def kalshi() -> Callable[[], DirectVenue] | None:
        if not trades_kalshi(place):
            return None
        at = site_of(place)
        return lambda: KalshiDirect(
            at.kalshi,
            at.environment,
            at.signer,
            clocks=clocks,
            rng=_rng(),
            on_anomaly=odd,
            subaccount=at.subaccount,
        )

    def polymarket() -> Callable[[], DirectVenue] | None:
        settings = load(place.config).polymarket
        at = wallet_of(place, settings)
        if at is None:
            return None
        signer, unable = None, ""
        try:
            signer = signer_at(at, settings, place)
        except KeyFileError as error:
            unable = str(error)
        return lambda: PolymarketDirect(
            at.addresses,
            at.environment,
            at.credentials,
            at.account,
            signer,
            unable,
            clocks=clocks,
            rng=_rng(),
            on_anomaly=odd,
        )

    return open_each({KALSHI.venue.short: kalshi, POLYMARKET.venue.short: polymarket})

"""``pmconsole flatten --direct`` as a process: no engine, no journal, the profile's own key.

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
from core.control.client import ConnectError, Line
from core.control.lock import LockFileError, LockHeldError, sole_holder
from core.control.protocol import VERSION, Hello
from core.control.ready import ReadyError
from core.control.sealed import seal
from core.control.site import Site, site_of
from core.domain.clock import Clocks, SystemClock
from core.domain.text import clean_text
from core.execution.direct import Direct, DirectVenue
from core.venues.address import VenueAddressError
from core.venues.kalshi.direct import KalshiDirect

FLAT, NOT_FLAT, USAGE, ENGINE_ANSWERS = 0, 1, 2, 75
Tell = Callable[[str], None]


class RefusedError(Exception):
    """Nothing was done; the text is the sentence for the operator, ``code`` the exit code."""

    def __init__(self, text: str, code: int = USAGE) -> None:
        super().__init__(text)
        self.code = code


_REFUSALS = (paths.ProfileError, LockFileError, ReadyError, KeyFileError, VenueAddressError)


def flatten(place: Profile, tell: Tell, *, urgent: bool) -> int:
    """Cancel and sell everything of the account; the exit code. Raises ``RefusedError``."""
    seal()
    try:
        paths.prepare(place)
        site = site_of(place)
        try:
            with sole_holder(place.lock):
                # Whoever starts the next engine finds the desk halted and is asked.
                place.flatten_flag.touch(mode=0o600)
                return asyncio.run(_sell(site, tell, urgent=urgent))
        except LockHeldError as held:
            _refuse_beside(place)
            tell(f"{held}; it does not answer: everything is cancelled beside it, nothing is sold")
            asyncio.run(_cancel(site, tell))
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


async def _sell(site: Site, tell: Tell, *, urgent: bool) -> int:
    """On every venue at once; flat only where all of them are."""

    async def sell(run: Direct, tell: Tell) -> bool:
        ended = await run.flatten()
        tell(str(ended))
        return not ended.residue

    flat = await _everywhere(site, tell, sell, urgent=urgent)
    return FLAT if all(flat) else NOT_FLAT


async def _cancel(site: Site, tell: Tell) -> None:
    async def cancel(run: Direct, _: Tell) -> bool:
        await run.cancel()
        return True

    await _everywhere(site, tell, cancel)


async def _everywhere(
    site: Site, tell: Tell, work: Callable[[Direct, Tell], Awaitable[bool]], *, urgent: bool = False
) -> list[bool]:
    """Do it on every venue side by side; what breaks on one is said, and counts as not done there."""
    clocks, run = Clocks(SystemClock(), site.clock), secrets.token_hex(4)
    accounts = _accounts(site, clocks, tell)

    async def one(venue: DirectVenue) -> bool:
        said = _named(venue, tell) if len(accounts) > 1 else tell
        rng = random.Random(secrets.randbits(128))
        try:
            return await work(Direct(venue, clocks, rng, run, said, urgent=urgent), said)
        except Exception as fault:  # noqa: BLE001 - said, and the venue counts as not flat
            said(f"broke: {type(fault).__name__}: {clean_text(str(fault))}")
            return False
        finally:
            await venue.close()

    return await asyncio.gather(*map(one, accounts))


def _named(venue: DirectVenue, tell: Tell) -> Tell:
    return lambda text: tell(f"{venue.traits.venue.short} {text}")


def _accounts(site: Site, clocks: Clocks, tell: Tell) -> list[DirectVenue]:
    """Every account of the profile, over plain requests."""
    return [
        KalshiDirect(
            site.kalshi,
            site.environment,
            site.signer,
            clocks=clocks,
            rng=random.Random(secrets.randbits(128)),
            on_anomaly=lambda what, detail: tell(f"{what}: {clean_text(detail)}"),
        )
    ]

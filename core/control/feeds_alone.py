"""Sources without an engine: what the configuration makes of each, and one real question to one of them."""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
from collections.abc import Coroutine, Mapping
from typing import Any

import msgspec

from core.config import paths
from core.config.paths import Profile
from core.config.secrets import KeyFileError
from core.config.settings import Settings, SettingsError, load
from core.control.budgets import Part, read_kept, write_kept
from core.control.queries.answers import answer_alone
from core.control.ready import ReadyError
from core.control.site import Site, World, site_of, trades_kalshi
from core.control.sources import chosen, read_stations
from core.control.tables.sources import FeedRow
from core.domain.clock import Clocks, SystemClock
from core.feeds.budget import kept_of
from core.feeds.declaration import Declaration, Family
from core.feeds.feed import Feed, Tried
from core.feeds.pools import connected
from core.feeds.published import FOLLOWED, PublishedFeed
from core.feeds.registry import Chosen, build_feeds, declarations
from core.feeds.trial import price_of
from core.feeds.wiring import Transports
from core.venues.address import VenueAddressError
from core.venues.kalshi.publisher import Publisher
from core.venues.socket import open_socket

RUNS_WITH_AN_ENGINE = "It is on: an engine asks it."
SIMULATED = "It is simulated and starts with the desk."


class NotAskedError(Exception):
    """The configuration, a key or a missing simulator stands in the way; the text is the sentence for the
    operator."""


_REFUSALS = (paths.ProfileError, SettingsError, ReadyError, KeyFileError, VenueAddressError)


def listing(place: Profile) -> bytes:
    """The answer to the query ``feeds`` from the configuration alone; raises ``NotAskedError``."""
    # All simulated sources come with their simulator, which need not run now.
    served = {of.name: dict(of.urls) for of in declarations()} if place.simulated else {}
    try:
        settings = load(place.config)
        world = World(environment=place.environment, feeds=served)
        found = chosen(place, settings, world)
        read_stations(place, settings, world)
    except _REFUSALS as error:
        raise NotAskedError(str(error)) from error
    on = SIMULATED if place.simulated else RUNS_WITH_AN_ENGINE
    return answer_alone("feeds", [_row(of, found[of.name], on) for of in declarations()])


def _row(of: Declaration, choice: Chosen, on: str) -> FeedRow:
    state, why = ("WAITING", on) if choice.on else ("OFF", choice.why_off)
    return FeedRow(
        of.label, state, None, None, of.stale_after_s, None, why, source=of.name, family=of.family.value
    )


def cost_of(source: str) -> str:
    """What a test of a source asks and costs."""
    return price_of(_known()[source])


def labels() -> Mapping[str, str]:
    """What each source is called on the screen, by its name."""
    return {name: of.label for name, of in _known().items()}


def tells_weather(source: str) -> bool:
    """Whether what it tells goes into the models alone."""
    return _known()[source].family is Family.WEATHER


def _known() -> Mapping[str, Declaration]:
    return {of.name: of for of in declarations()}


def ask_alone(place: Profile, source: str) -> Tried:
    """One real question to a source, within what its quota has left; raises ``NotAskedError``."""
    try:
        paths.prepare(place)
        world = site_of(place) if place.simulated else World(environment=place.environment)
        return asyncio.run(_ask(place, load(place.config), world, source))
    except _REFUSALS as error:
        raise NotAskedError(str(error)) from error


async def _ask(place: Profile, settings: Settings, world: World, source: str) -> Tried:
    clocks = Clocks(SystemClock(), world.clock)
    kept, _ = read_kept(place.quotas, world.world_id)
    beside = read_kept(place.quotas, world.world_id, Part.BESIDE)[0].get(source, ())
    own = {"kept": kept.get(source, ()), "elsewhere": lambda: beside}
    only = {
        name: msgspec.structs.replace(choice, **own) if name == source else Chosen(False)
        for name, choice in chosen(place, settings, world).items()
    }
    rng = random.Random(secrets.randbits(128))
    async with connected() as http:
        shared = Transports(
            http, open_socket, clocks, rng, settings.feeds.user_agent, lambda _: None,
            directory=place.directory,
        )  # fmt: skip
        feeds = build_feeds(only, read_stations(place, settings, world), shared)
        feed = next(feed for feed in feeds if feed.health().source == source)
        of = _known()[source]
        if isinstance(feed, PublishedFeed):
            at = _account(place, world, source)
            names = {source: only[source].follows or FOLLOWED[source]}
            found = await _try(
                feed, Publisher(at.kalshi, at.signer, names, feed, clocks=clocks, rng=rng).run()
            )
        else:
            tells = of.every_s == 0 and of.probe is None
            found = await _try(feed, feed.run() if tells else None)
    spent = kept_of(feed.health().budget, beside)
    if spent:
        try:
            write_kept(place.quotas, world.world_id, {**kept, source: spent})
        except OSError as error:
            unwritten = f"{place.quotas} cannot be written ({error.strerror}): what this cost is forgotten."
            return Tried(found.passed, f"{found.text} {unwritten}")
    return found


def _account(place: Profile, world: World, source: str) -> Site:
    """The account on whose connection a source comes; raises as ``site_of``."""
    if isinstance(world, Site):
        return world
    if not trades_kalshi(place):
        raise NotAskedError(f"profile {place.name} has no account at Kalshi, and {source} comes with one.")
    return site_of(place)


async def _try(feed: Feed, hearing: Coroutine[Any, Any, None] | None) -> Tried:
    """A source that tells by itself is heard for as long as the test takes."""
    listening = asyncio.ensure_future(hearing) if hearing is not None else None
    try:
        return await feed.trial()
    finally:
        if listening is not None:
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening

"""Where a desk trades and what it listens to: the simulator of its ready line, or Kalshi with its own key.

The one place where a profile's name becomes addresses, a key and clocks; everything built from it
cannot tell a real account from a simulated one.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from core.config.paths import Environment, Profile
from core.config.secrets import KeyFileError, check_pin, pinned_elsewhere, read_key_file, read_pin
from core.control.ready import KeyReady, read_ready
from core.domain.clock import REAL_WORLD, WorldClock
from core.venues.address import check_loopback
from core.venues.kalshi.hosts import KALSHI, Addresses, check_addresses
from core.venues.kalshi.sign import KeySigner, load_signer, parse_key


class World(msgspec.Struct, frozen=True, kw_only=True):
    """One desk's outside world. ``world_id`` is empty where time and contracts are real."""

    environment: Environment
    feeds: Mapping[str, Mapping[str, str]] = {}
    """A simulator's addresses by source and role; empty where the sources are the real ones."""
    clock: WorldClock = REAL_WORLD
    world_id: str = ""
    replay: str = ""
    calendar_offset_days: int | None = None
    series: tuple[str, ...] = ()
    """What a simulator lists at its Kalshi."""
    views: tuple[tuple[str, ...], ...] = ()
    """What a simulator expects of its figures to come."""


class Site(World, frozen=True, kw_only=True):
    """That world with the desk's account at Kalshi."""

    kalshi: Addresses
    signer: KeySigner
    key_id: str
    subaccount: int = 0
    """What the key was added for."""


def site_of(place: Profile) -> Site:
    """The profile's site, its key read and proved to belong there.

    Raises ``ReadyError`` without a simulator, ``KeyFileError`` for a key that is missing, open to
    others or another exchange's, ``VenueAddressError`` for an address off the list.
    """
    return _simulated(place) if place.simulated else _real(place, place.trading_key)


def site_of_watchdog(place: Profile) -> Site:
    """The same site reached with the watchdog's own key; raises as ``site_of``."""
    if place.simulated:
        return _simulated(place, watchdog=True)
    return _real(place, place.watchdog_key)


def clock_of(place: Profile) -> WorldClock:
    """The clock its venues' worlds go by; raises ``ReadyError`` without a simulator."""
    return read_ready(place.sim_ready).clock if place.simulated else REAL_WORLD


def trades_kalshi(place: Profile) -> bool:
    """Whether the profile is to have an account at Kalshi: not where a wallet was added and no key."""
    return place.simulated or place.trading_key.exists() or not place.wallet.exists()


def _simulated(place: Profile, *, watchdog: bool = False) -> Site:
    ready = read_ready(place.sim_ready)
    where = ready.kalshi
    key = where.watchdog if watchdog else KeyReady(where.key_id, where.private_key_path)
    addresses = Addresses(where.rest, where.ws)
    check_addresses(addresses, Environment.SIM)
    feeds = ready.feeds.sources
    for url in (url for urls in feeds.values() for url in urls.values()):
        check_loopback(url, frozenset({"http", "ws"}))
    signer = load_signer(key.key_id, Path(key.private_key_path))
    refuse_foreign(place, signer.fingerprint)
    return Site(
        environment=Environment.SIM,
        feeds=feeds,
        clock=ready.clock,
        world_id=ready.world.id,
        replay=ready.world.replay,
        calendar_offset_days=ready.world.calendar_offset_days,
        series=ready.world.series,
        views=ready.world.views,
        kalshi=addresses,
        signer=signer,
        key_id=key.key_id,
    )


def _real(place: Profile, key: Path) -> Site:
    signer = own_signer(place, key)
    return Site(
        environment=place.environment,
        kalshi=KALSHI[place.environment],
        signer=signer,
        key_id=signer.key_id,
        subaccount=read_pin(key).subaccount,
    )


def own_signer(place: Profile, key: Path) -> KeySigner:
    """A key of a profile at a real exchange, checked against its pin; raises ``KeyFileError``."""
    if not key.exists():
        adds = f"key add FILE --key-id ID --made-at {place.environment.value}"
        adds = place.command(f"{adds} --watchdog" if key == place.watchdog_key else adds)
        raise KeyFileError(
            f"profile {place.name} has no {key.stem} key ({key}): make one at Kalshi's "
            f"{place.environment.value} exchange and add it with {adds}"
        )
    private = parse_key(read_key_file(key), key)
    signer = KeySigner(read_pin(key).key_id, private)
    check_pin(key, signer.fingerprint, place.environment)
    refuse_foreign(place, signer.fingerprint)
    return signer


def refuse_foreign(place: Profile, fingerprint: str) -> None:
    """Raises ``KeyFileError`` for a key that another profile knows as another exchange's."""
    found = pinned_elsewhere(place.directory.parent, fingerprint, place.environment)
    if found is not None:
        other, pin = found
        raise KeyFileError(
            f"this key is {other}, a key of Kalshi's {pin.environment.value} exchange; profile {place.name} "
            f"trades at {place.environment.value}: use a key made there"
        )

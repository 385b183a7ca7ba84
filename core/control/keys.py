"""Adding and showing the private keys of a profile at a real exchange.

Two roles, two keys: the engine's trades, the watchdog's cancels, and either is revoked without the
other. Which exchange a key was made at is the operator's statement, kept beside the key.
"""

from __future__ import annotations

import enum
import re
from pathlib import Path

import msgspec

from core.config.paths import Environment, Profile
from core.config.secrets import KeyFileError, Pin, read_pin, store_key
from core.control.site import own_signer, refuse_foreign
from core.venues.kalshi.sign import fingerprint, parse_key

_KEY_ID = re.compile(r"[0-9a-zA-Z-]{8,64}", re.ASCII)


class Role(enum.Enum):
    TRADING = "trading"
    WATCHDOG = "watchdog"


class KeyState(msgspec.Struct, frozen=True):
    """One role's key as ``pmconsole key show`` and the doctor see it; ``problem`` is empty when usable."""

    role: Role
    path: Path
    key_id: str = ""
    fingerprint: str = ""
    subaccount: int = 0
    problem: str = ""


def key_path(place: Profile, role: Role) -> Path:
    return place.trading_key if role is Role.TRADING else place.watchdog_key


def add(
    place: Profile,
    role: Role,
    data: bytes,
    source: Path,
    key_id: str,
    made_at: Environment,
    subaccount: int = 0,
) -> Pin:
    """Keep a key in the profile; raises ``KeyFileError`` before anything is written.

    ``source`` names the file in errors, ``made_at`` is the exchange the operator says it was made at.
    """
    if place.simulated:
        raise KeyFileError(f"profile {place.name} makes its own keys: name another with --profile")
    if made_at is not place.environment:
        raise KeyFileError(
            f"profile {place.name} trades at Kalshi's {place.environment.value} exchange and this key was "
            f"made at {made_at.value}: add it to the profile of that exchange"
        )
    if not _KEY_ID.fullmatch(key_id):
        raise KeyFileError(f"{key_id[:40]!r} is no key id: copy it from the venue's page of API keys")
    pin = Pin(made_at, key_id, fingerprint(parse_key(data, source)), subaccount)
    refuse_foreign(place, pin.fingerprint)
    for other in Role:
        known = state(place, other)
        if other is not role and pin.fingerprint == known.fingerprint:
            raise KeyFileError(
                f"{source} is the {other.value} key already: make a second key, so that either can be revoked"
            )
    try:
        store_key(key_path(place, role), data, pin)
    except OSError as error:
        raise KeyFileError(f"cannot write {key_path(place, role)}: {error.strerror}") from error
    return pin


def state(place: Profile, role: Role) -> KeyState:
    """What can be said of a role's key without using it."""
    path = key_path(place, role)
    try:
        signer = own_signer(place, path)
    except KeyFileError as error:
        return KeyState(role, path, *_pinned(path), problem=str(error))
    return KeyState(role, path, signer.key_id, signer.fingerprint, read_pin(path).subaccount)


def _pinned(path: Path) -> tuple[str, str]:
    try:
        pin = read_pin(path)
    except KeyFileError:
        return "", ""
    return pin.key_id, pin.fingerprint

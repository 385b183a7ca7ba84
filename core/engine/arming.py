"""Arming: the one step between a running engine and its first order with real money.

A profile at the production exchange starts unarmed: it reads, prices and proposes, cancels and
flattens, and sends no entry. Arming takes a typed phrase that names the account and a recent, clean
examination (``pmconsole doctor``) of exactly this code, these limits and this key. It ends with the
process: nothing arms itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

EXAMINED_MAX_MS = 15 * 60_000
"""An examination older than this says nothing about now."""


class Examination(msgspec.Struct, frozen=True):
    """What the doctor found, and of what."""

    at_ms: int
    """Real wall time."""
    code_version: str
    limits: str
    """Digest of the configured limits."""
    key: str
    """What tells the accounts' keys from others, such as the trading key's fingerprint."""
    blocks: tuple[str, ...]
    """Sentences; empty when nothing stands against real money."""


class Arming(NamedTuple):
    """What arming this desk asks for."""

    phrase: str
    """Typed by the operator; names every account."""
    code_version: str
    key: str
    """What tells the accounts' keys from others."""
    examined: Callable[[], Examination | None]
    """The newest examination, ``None`` without a readable one."""
    doctor: str
    """The command that examines this profile."""


def phrase_of(profile: str, names: Sequence[str]) -> str:
    """``arm live 3d4c``: the profile and the end of each account's name."""
    return " ".join(("arm", profile, *(name[-4:] for name in names)))


def against(arming: Arming, limits: str, wall_ms: int) -> str:
    """Why this desk must not be armed now, one sentence; empty when the examination allows it."""
    found = arming.examined()
    if found is None:
        return f"This profile was never examined; run {arming.doctor}."
    if not 0 <= wall_ms - found.at_ms <= EXAMINED_MAX_MS:
        minutes = EXAMINED_MAX_MS // 60_000
        return f"The last examination is older than {minutes} min; run {arming.doctor} again."
    seen = (found.code_version, found.limits, found.key)
    if seen != (arming.code_version, limits, arming.key):
        what = next(
            name
            for name, then, now in zip(
                ("program", "limits", "key"), seen, (arming.code_version, limits, arming.key), strict=True
            )
            if then != now
        )
        return f"The last examination was of another {what}; run {arming.doctor} for the running engine."
    return f"The examination blocks it: {found.blocks[0]}" if found.blocks else ""

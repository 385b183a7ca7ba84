"""The two outcome tokens of a market, by market generation, and the checks that they are what they claim.

Version 1 markets trade CTF tokens (hashes), version 2 markets position ids whose bits say module,
condition and outcome (Polymarket reference, section 1.4). An id that looks like the other generation's is
never signed for.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from typing import Final

import msgspec

from core.venues.wire import WireError

_DECIMAL: Final = re.compile(r"[1-9][0-9]{0,77}", re.ASCII)
_CONDITION: Final = re.compile(r"0x(?:[0-9a-f]{64}|[0-9a-f]{62})", re.ASCII)
_RESERVED: Final = (2**64 - 1) << 40
"""Eight bytes that are zero in every position id."""
_MODULES: Final = frozenset({1, 2, 3})


class Version(enum.Enum):
    """Which exchange, ids and approvals a market uses."""

    V1 = "v1"
    V2 = "v2"


class Tokens(msgspec.Struct, frozen=True):
    """Ids as decimal text, the only form the wire has."""

    yes: str
    no: str


def version(text: object) -> Version:
    """Raises ``WireError`` for a generation this client cannot sign for."""
    for known in Version:
        if text == known.value:
            return known
    said = repr(text[:20]) if isinstance(text, str) else "missing"
    raise WireError(f"version: {said} is neither v1 nor v2")


def condition_id(text: str) -> str:
    """As CLOB and Data API want it: 32 bytes, those of version 2 padded on the right."""
    if _CONDITION.fullmatch(text) is None:
        raise WireError(f"conditionId: {text[:80]!r} is not 31 or 32 bytes of lower-case hex")
    return text.ljust(66, "0")


def tokens(of: Version, ids: Sequence[str], condition: str) -> Tokens:
    """The pair in outcome order, checked. Raises ``WireError``."""
    if len(ids) != 2:
        raise WireError(f"token ids: {len(ids)} instead of 2")
    numbers = [_number(text) for text in ids]
    if numbers[0] == numbers[1]:
        raise WireError("token ids: both outcomes have the same")
    for number in numbers:
        if looks_like_position(number) is not (of is Version.V2):
            raise WireError(f"token ids: {number} is not an id of a {of.value} market")
    if of is Version.V2:
        _check_positions(numbers, condition)
    return Tokens(ids[0], ids[1])


def looks_like_position(number: int) -> bool:
    """Whether the bits reserved in position ids are zero; in a hash they are not."""
    return number & _RESERVED == 0


def _number(text: str) -> int:
    if _DECIMAL.fullmatch(text) is None or (number := int(text)) >= 2**256:
        raise WireError(f"token ids: {text[:90]!r} is not a positive 256-bit number")
    return number


def _check_positions(numbers: Sequence[int], condition: str) -> None:
    for outcome, number in enumerate(numbers):
        if number >> 248 not in _MODULES:
            raise WireError(f"token ids: {number} names no known module")
        if number & 0xFF != outcome:
            raise WireError(f"token ids: {number} is not outcome {outcome}")
        if f"0x{number >> 8:062x}00" != condition:
            raise WireError(f"token ids: {number} is of another condition")

"""Answers of Ethereum contracts, decoded by hand: as many of the ABI's types as price feeds use.

Every function gives the value, or a sentence that says what is wrong with the text.
"""

from __future__ import annotations

import re

import msgspec

WORD = 64
"""Hexadecimal digits of a word of 32 bytes."""
_HEX = re.compile(r"0x[0-9a-fA-F]*", re.ASCII)
_TEXT_BYTES_MAX = 200


class Round(msgspec.Struct, frozen=True):
    """``latestRoundData()``. ``answer`` is signed; times are Unix seconds."""

    round_id: int
    answer: int
    started_s: int
    updated_s: int


def words(result: object, count: int) -> tuple[int, ...] | str:
    """Exactly so many words, unsigned."""
    if not isinstance(result, str) or not _HEX.fullmatch(result):
        return "the answer is no hexadecimal text"
    digits = result[2:]
    if not digits:
        return "there is no contract at its address: the node is of another network"
    if len(digits) != count * WORD:
        return f"the answer has {len(digits)} digits instead of {count * WORD}"
    return tuple(int(digits[at : at + WORD], 16) for at in range(0, len(digits), WORD))


def signed(word: int) -> int:
    """A word as ``int256``: two's complement."""
    return word - (1 << 256) if word >> 255 else word


def round_data(result: object) -> Round | str:
    found = words(result, 5)
    if isinstance(found, str):
        return found
    return Round(found[0], signed(found[1]), found[2], found[3])


def number(result: object) -> int | str:
    """One unsigned word."""
    found = words(result, 1)
    return found if isinstance(found, str) else found[0]


def text(result: object) -> str | None:
    """A string: its offset, its length, its bytes; None for anything else."""
    if not isinstance(result, str) or not _HEX.fullmatch(result) or len(result) < 2 + 2 * WORD:
        return None
    offset, length = int(result[2 : 2 + WORD], 16), int(result[2 + WORD : 2 + 2 * WORD], 16)
    digits = result[2 + 2 * WORD : 2 + 2 * WORD + 2 * length]
    if offset != 32 or length > _TEXT_BYTES_MAX or len(digits) != 2 * length:
        return None
    try:
        return bytes.fromhex(digits).decode("ascii")
    except ValueError:
        return None

"""Polymarket's contracts on Polygon and the signing domains of its exchanges.

Addresses: docs.polymarket.com/resources/contracts. Orders of both protocol generations are one struct; the
contract that will settle them and its version tell their signatures apart.
"""

from __future__ import annotations

from typing import Final

import msgspec

from core.venues.polymarket.eip712 import domain_separator
from core.venues.polymarket.evm import parse_address
from core.venues.polymarket.tokens import Version

POLYGON: Final = 137


class Exchange(msgspec.Struct, frozen=True):
    """A contract orders are signed for."""

    name: str
    version: str
    """The version of its signing domain."""
    address: str
    separator: bytes
    """The hash of its domain (EIP-712)."""


def _exchange(name: str, version: str, address: str) -> Exchange:
    separator = domain_separator("Polymarket CTF Exchange", version, POLYGON, parse_address(address))
    return Exchange(name, version, address, separator)


STANDARD: Final = _exchange("standard", "2", "0xE111180000d2663C0091e4f400237545B87B996B")
NEG_RISK: Final = _exchange("neg-risk", "2", "0xe2222d279d744050d28e00520010520000310F59")
V3: Final = _exchange("v3", "3", "0xe3333700cA9d93003F00f0F71f8515005F6c00Aa")
EXCHANGES: Final = (STANDARD, NEG_RISK, V3)


def exchange_of(version: Version, neg_risk: bool) -> Exchange:
    """The exchange that settles a market of this generation."""
    if version is Version.V2:
        return V3
    return NEG_RISK if neg_risk else STANDARD

"""What the venue lets this account and its keys do: scopes, subaccount locks, location, rate tier, shards.

Kalshi API: list API keys, account limits, get series. Only the examination before real money asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from core.domain.text import clean_text
from core.venues.endpoint import Endpoint
from core.venues.kalshi.endpoints import DEFAULT_COST, LIMITS, SERIES
from core.venues.kalshi.limits import BucketWire
from core.venues.limiter import Kind, Priority
from core.venues.reader import Reader
from core.venues.venue import Incomplete
from core.venues.wire import SECOND_MS, Odd, unix_ms

API_KEYS: Final = Endpoint("GET", "/api_keys", Kind.READ, DEFAULT_COST)
KEYS_MAX: Final = 1_000


class KeyGrant(msgspec.Struct, frozen=True):
    """What the venue lets one key do."""

    scopes: tuple[str, ...]
    subaccount: int | None = None
    """The only subaccount it may touch; ``None`` = all."""


class Keys(msgspec.Struct, frozen=True):
    """Every key of the account by its id, and how long its location attestation holds."""

    grants: Mapping[str, KeyGrant]
    region_until_ms: int | None = None
    """Unix milliseconds; ``None``: the account never attested."""


class Tier(msgspec.Struct, frozen=True):
    """The account's rate tier and what it may spend."""

    name: str
    reads_per_s: float
    writes_per_s: float
    write_burst: float


class KeyWire(msgspec.Struct, frozen=True):
    api_key_id: str
    scopes: list[str]
    subaccount: int | None = None


class KeysWire(msgspec.Struct, frozen=True):
    api_keys: list[KeyWire]
    api_key_region_expiration_ts: object = None


class TierWire(msgspec.Struct, frozen=True):
    read: BucketWire
    write: BucketWire
    usage_tier: str = ""


class ShardOfSeriesWire(msgspec.Struct, frozen=True):
    exchange_index: int = 0


class SeriesWire(msgspec.Struct, frozen=True):
    series: ShardOfSeriesWire


_keys = msgspec.json.Decoder(KeysWire)
_tier = msgspec.json.Decoder(TierWire)
_series = msgspec.json.Decoder(SeriesWire)


def _of_keys(wire: KeysWire, odd: Odd) -> Keys:
    grants = {
        row.api_key_id: KeyGrant(tuple(clean_text(scope, 60) for scope in row.scopes), row.subaccount)
        for row in wire.api_keys[:KEYS_MAX]
    }
    until_s, field = wire.api_key_region_expiration_ts, "api_key_region_expiration_ts"
    return Keys(grants, None if until_s is None else unix_ms(until_s, field, SECOND_MS))


def _of_tier(wire: TierWire, odd: Odd) -> Tier:
    return Tier(
        clean_text(wire.usage_tier, 40) or "unnamed",
        wire.read.refill_rate,
        wire.write.refill_rate,
        wire.write.bucket_capacity,
    )


async def read_keys(reader: Reader) -> Keys | Incomplete:
    return await reader.one(API_KEYS, "api keys", Priority.RECONCILE, _keys, _of_keys)


async def read_tier(reader: Reader) -> Tier | Incomplete:
    return await reader.one(LIMITS, "account limits", Priority.RECONCILE, _tier, _of_tier)


async def read_series_shard(reader: Reader, series: str) -> int | Incomplete:
    """Where new events of a series trade."""
    path = SERIES.at(series_ticker=series)
    return await reader.one(
        SERIES,
        f"series {series}",
        Priority.RECONCILE,
        _series,
        lambda wire, odd: wire.series.exchange_index,
        path=path,
    )

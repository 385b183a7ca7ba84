"""The account's rate limits and the token costs of calls, as the venue publishes them."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class BucketWire(msgspec.Struct, frozen=True, gc=False):
    refill_rate: Annotated[float, Meta(gt=0, le=1e6)]
    bucket_capacity: Annotated[float, Meta(gt=0, le=1e6)]


class LimitsWire(msgspec.Struct, frozen=True, gc=False):
    read: BucketWire
    write: BucketWire


class CostWire(msgspec.Struct, frozen=True, gc=False):
    method: str
    path: str
    cost: Annotated[float, Meta(ge=0, le=1e6)]


class CostsWire(msgspec.Struct, frozen=True, gc=False):
    default_cost: Annotated[float, Meta(ge=0, le=1e6)]
    endpoint_costs: list[CostWire] | None = None

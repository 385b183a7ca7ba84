"""Values a venue publishes beside its markets: what its contracts settle on, with the averages it makes."""

from __future__ import annotations

import msgspec


class Mean(msgspec.Struct, frozen=True):
    """The mean of the values of ``seconds`` seconds, of ``of`` there will be at ``ends_ms``."""

    value: float
    seconds: int
    of: int
    ends_ms: int


class Published(msgspec.Struct, frozen=True):
    """One value. Times are those of the world the contracts are about, Unix milliseconds."""

    source: str
    """Which of the venue's publications it is, by its name in the configuration."""
    name: str
    value: float
    at_ms: int
    """When its source made it, not when the venue passed it on."""
    last_minute: Mean | None = None
    settling: Mean | None = None
    """What a contract that ends soon will settle on, as far as it has come."""

"""What an examination asks the venue, over a connection of its own and with reads alone."""

from __future__ import annotations

import random
from collections.abc import Sequence

import msgspec

from core.control.site import Site
from core.domain.clock import Clocks
from core.venues.exchange import Cash, ExchangeState, Maintenance
from core.venues.http import TransportFactory, network_transport
from core.venues.kalshi.account import Account
from core.venues.kalshi.exchange import Schedule, read_schedule, read_state
from core.venues.kalshi.http import KalshiHttp
from core.venues.kalshi.standing import Keys, Tier, read_keys, read_series_shard, read_tier
from core.venues.limiter import Limiter
from core.venues.reader import Reader
from core.venues.venue import Incomplete

CLOCK_READS = 8


class Answers(msgspec.Struct, frozen=True):
    """Everything the venue said, each answer on its own."""

    state: ExchangeState | Incomplete
    maintenance: tuple[Maintenance, ...]
    keys: Keys | Incomplete
    tier: Tier | Incomplete
    cash: Cash | Incomplete
    shards: tuple[int, ...]
    """Where the desk's series trade."""
    clock_offset_ms: int | None
    oddities: tuple[str, ...] = ()


async def ask(
    site: Site,
    clocks: Clocks,
    rng: random.Random,
    series: Sequence[str],
    transports: TransportFactory = network_transport,
) -> Answers:
    """Ask everything once; what cannot be read comes back as ``Incomplete``, nothing raises for it."""
    odd: list[str] = []
    http = KalshiHttp(
        site.kalshi.rest,
        site.signer,
        clocks=clocks,
        limiter=Limiter(clocks),
        rng=rng,
        transports=transports,
        on_anomaly=lambda what, detail: odd.append(f"{what}: {detail}"),
        on_credential=odd.append,
        subaccount=site.subaccount,
    )
    try:
        reader = Reader(http, http.on_anomaly)
        state: ExchangeState | Incomplete = await read_state(reader)
        for _ in range(CLOCK_READS - 1):
            if isinstance(state, Incomplete):
                break
            state = await read_state(reader)
        schedule = await read_schedule(reader)
        shards = [await read_series_shard(reader, name) for name in series]
        return Answers(
            state=state,
            maintenance=schedule.maintenance if isinstance(schedule, Schedule) else (),
            keys=await read_keys(reader),
            tier=await read_tier(reader),
            cash=await Account(reader).cash(),
            shards=tuple(sorted({s for s in shards if not isinstance(s, Incomplete)})),
            clock_offset_ms=http.clock_offset_ms(),
            oddities=tuple(odd),
        )
    finally:
        await http.close()

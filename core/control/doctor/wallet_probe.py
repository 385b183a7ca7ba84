"""What an examination asks Polymarket, over connections of its own; nothing it sends can become an order."""

from __future__ import annotations

import random
from collections.abc import Mapping

import msgspec

from core.control.wallet import WalletSite
from core.domain.clock import Clocks
from core.venues.exchange import ExchangeState
from core.venues.http import TransportFactory, network_transport
from core.venues.limiter import Limiter
from core.venues.polymarket import clob
from core.venues.polymarket.account import Balance, read_closed_only
from core.venues.polymarket.geoblock import Geoblock, read_geoblock
from core.venues.polymarket.http import ClobHttp
from core.venues.polymarket.l2 import RequestSigner
from core.venues.polymarket.limits import CAPACITIES
from core.venues.polymarket.public import PublicHttp
from core.venues.polymarket.standing import read_clock_offset, read_funds, read_mode
from core.venues.polymarket.wallets import SignatureType
from core.venues.reader import Reader
from core.venues.venue import Incomplete


class WalletAnswers(msgspec.Struct, frozen=True):
    """Everything the venue said, each answer on its own."""

    clock_offset_ms: int | Incomplete
    version: int | Incomplete
    geoblock: Geoblock | Incomplete
    closed_only: bool | Incomplete
    funds: Mapping[SignatureType, Balance | Incomplete]
    mode: ExchangeState | Incomplete


async def ask_wallet(
    site: WalletSite,
    clocks: Clocks,
    rng: random.Random,
    transports: TransportFactory = network_transport,
) -> WalletAnswers:
    """Ask everything once; what cannot be read comes back as ``Incomplete``, nothing raises for it."""
    limiter = Limiter(clocks, CAPACITIES)

    def unheard(*_: str) -> None:
        """Each answer says itself what was wrong with it."""

    ours = ClobHttp(
        site.addresses.clob,
        RequestSigner(site.credentials),
        clocks=clocks,
        limiter=limiter,
        rng=rng,
        transports=transports,
        on_anomaly=unheard,
        on_credential=unheard,
    )
    public = PublicHttp(
        site.addresses.site,
        clocks=clocks,
        limiter=limiter,
        rng=rng,
        transports=transports,
        on_anomaly=unheard,
        on_credential=unheard,
    )
    try:
        reader = Reader(ours, unheard)
        return WalletAnswers(
            clock_offset_ms=await read_clock_offset(reader, clocks),
            version=await clob.read_version(reader),
            geoblock=await read_geoblock(Reader(public, unheard)),
            closed_only=await read_closed_only(reader),
            funds=await read_funds(reader),
            mode=await read_mode(ours),
        )
    finally:
        await ours.close()
        await public.close()

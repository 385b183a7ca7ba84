"""An account for whoever stands in for the engine: connections of its own and nothing that could place an
order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from core.config.paths import Environment
from core.domain.clock import Clocks
from core.venues.http import TransportFactory, network_transport
from core.venues.kalshi.account import Account
from core.venues.kalshi.cancels import CancelEntry, Cancels
from core.venues.kalshi.groups import OrderGroups
from core.venues.kalshi.hosts import Addresses, check_addresses
from core.venues.kalshi.http import KalshiHttp
from core.venues.kalshi.sign import Signer
from core.venues.kalshi.traits import TRAITS
from core.venues.limiter import Limiter
from core.venues.reader import Reader
from core.venues.venue import CancelOutcome, GroupOutcome, Incomplete, OrderReport, ReportStatus

if TYPE_CHECKING:
    import random


class KalshiCancelOnly:
    """See ``CancelOnly``. Raises ``VenueAddressError`` for an address off the list."""

    def __init__(
        self,
        addresses: Addresses,
        environment: Environment,
        signer: Signer,
        *,
        clocks: Clocks,
        rng: random.Random,
        on_anomaly: Callable[[str, str], None],
        subaccount: int = 0,
        transports: TransportFactory = network_transport,
    ) -> None:
        check_addresses(addresses, environment)
        self.traits = TRAITS
        self._http = KalshiHttp(
            addresses.rest,
            signer,
            clocks=clocks,
            limiter=Limiter(clocks),
            rng=rng,
            transports=transports,
            on_anomaly=on_anomaly,
            on_credential=lambda cause: on_anomaly("credential", cause),
            subaccount=subaccount,
        )
        self._cancels, self._groups = Cancels(self._http), OrderGroups(self._http)
        self._reader = Reader(self._http, on_anomaly)
        self._account = Account(self._reader)

    async def close(self) -> None:
        await self._http.close()

    async def warm(self, calls: int) -> None:
        await self._cancels.warm(calls)

    async def groups(self) -> dict[str, str] | Incomplete:
        found = await self._groups.listed()
        if isinstance(found, Incomplete):
            return found
        return {group_id: str(shard) for group_id, shard in found.items()}

    async def resting(self) -> tuple[OrderReport, ...] | Incomplete:
        return await self._account.orders(None, ReportStatus.RESTING, None)

    async def trigger(self, group_id: str, part: str) -> GroupOutcome:
        return await self._cancels.trigger(group_id, int(part) if part.isdecimal() else 0)

    async def cancel_everything(self) -> GroupOutcome:
        return await self._cancels.everything()

    async def cancel(self, orders: Sequence[OrderReport]) -> tuple[CancelOutcome, ...]:
        return await self._cancels.cancel([CancelEntry(o.order_id, o.ticker, o.shard) for o in orders])

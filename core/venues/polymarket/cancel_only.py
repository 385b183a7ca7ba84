"""A Polymarket account for whoever stands in for an engine: its API key on connections of its own.

Nothing here can sign or create an order, and the heartbeat's chain is the engine's alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from core.config.paths import Environment
from core.domain.clock import Clocks
from core.domain.order import Outcome
from core.venues.http import TransportFactory, network_transport
from core.venues.limiter import Limiter, Priority
from core.venues.polymarket import endpoints as ep
from core.venues.polymarket.account_wire import OrderWire
from core.venues.polymarket.cancels import Cancels
from core.venues.polymarket.hosts import Addresses, check_addresses
from core.venues.polymarket.http import ClobHttp
from core.venues.polymarket.l2 import Credentials, RequestSigner
from core.venues.polymarket.limits import CAPACITIES
from core.venues.polymarket.reports import as_named, order_report
from core.venues.polymarket.traits import TRAITS
from core.venues.reader import Reader
from core.venues.venue import CancelOutcome, GroupOutcome, Incomplete, OrderReport, Rejected
from core.venues.wire import Odd

if TYPE_CHECKING:
    import random

_orders: Final = msgspec.json.Decoder(OrderWire)
_NO_GROUPS: Final = Rejected("no_groups", "this venue has no order groups")


class PolymarketCancelOnly:
    """See ``CancelOnly``. Raises ``VenueAddressError`` for an address off the list."""

    def __init__(
        self,
        addresses: Addresses,
        environment: Environment,
        credentials: Credentials,
        *,
        clocks: Clocks,
        rng: random.Random,
        on_anomaly: Callable[[str, str], None],
        transports: TransportFactory = network_transport,
    ) -> None:
        check_addresses(addresses, environment)
        self.traits = TRAITS
        self._http = ClobHttp(
            addresses.clob,
            RequestSigner(credentials),
            clocks=clocks,
            limiter=Limiter(clocks, CAPACITIES),
            rng=rng,
            transports=transports,
            on_anomaly=on_anomaly,
            on_credential=lambda cause: on_anomaly("credential", cause),
        )
        self._cancels = Cancels(self._http)
        self._reader = Reader(self._http, on_anomaly)

    async def close(self) -> None:
        await self._http.close()

    async def warm(self, calls: int) -> None:
        await self._cancels.warm(calls)

    async def groups(self) -> dict[str, str] | Incomplete:
        return {}

    async def resting(self) -> tuple[OrderReport, ...] | Incomplete:
        """Every open order of the key, under its market's condition id: no list of markets is needed."""
        return await self._reader.every(ep.ORDERS, "data", Priority.FLATTEN, {}, _orders, _resting)

    async def trigger(self, group_id: str, part: str) -> GroupOutcome:
        return _NO_GROUPS

    async def cancel_everything(self) -> GroupOutcome:
        return await self._cancels.everything()

    async def cancel(self, orders: Sequence[OrderReport]) -> tuple[CancelOutcome, ...]:
        return await self._cancels.cancel([order.order_id for order in orders])


def _resting(row: OrderWire, odd: Odd) -> OrderReport:
    named: dict[str, tuple[str, Outcome]] = as_named(row)
    return order_report(row, named.get, odd)

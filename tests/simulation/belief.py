"""What an engine believes, as bytes that can be compared, and what its journal would make it believe."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from core.domain.order import Anomaly, Order
from core.engine.restore import restore
from core.execution.events import LedgerEvent
from core.execution.ledger import Ledger
from core.execution.replaying import replay
from core.journal.events import Row


def belief(ledger: Ledger) -> bytes:
    """Orders, fills, positions and settlements."""
    return msgspec.json.encode(
        {
            "orders": dict(sorted(ledger.orders.items())),
            "live": sorted(ledger.live),
            "ids": dict(sorted(ledger.by_order_id.items())),
            "fills": sorted(ledger.fills),
            "positions": dict(sorted(ledger.positions.items())),
            "settled": sorted(ledger.settled),
        }
    )


def replayed(rows: Iterable[Row]) -> bytes:
    """The belief of an engine that starts on these rows, before it asks the venue anything."""
    ledger = Ledger(_unrecorded, _Deaf())
    replay(ledger, restore(rows).orders, 0)
    return belief(ledger)


def _unrecorded(event: LedgerEvent, *, client_order_id: str, ticker: str) -> int:
    raise AssertionError("a replay records nothing")


class _Deaf:
    """Hears nothing of a replay."""

    def on_order_changed(self, before: Order | None, after: Order) -> None: ...

    def on_fill_undone(self, order: Order | None, fill: object) -> None: ...

    def on_trade_confirmed(self, ticker: str) -> None: ...

    def on_fill_applied(self, order: Order | None, fill: object) -> None: ...

    def on_settled(self, report: object) -> None: ...

    def on_anomaly(self, ticker: str, anomaly: Anomaly) -> None: ...

    def on_externals_changed(self, ticker: str) -> None: ...

    def on_adjusted(self, ticker: str) -> None: ...

"""Sets up one venue's seat: everything that is its own, made once in the order in which it is needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from core.domain.market import Market
from core.domain.order import Order
from core.domain.units import Money
from core.engine import incidents
from core.engine.agreement import Agreement
from core.engine.catalogue import Catalogue
from core.engine.desk import Desk
from core.engine.judging import gate_line
from core.engine.restore import Restored
from core.engine.safety import Safety, group_contracts, pause_of, unfit
from core.engine.seat import Seat
from core.engine.trading import Trading
from core.engine.venue_ears import VenueEars
from core.execution.flatten import Flattener
from core.execution.gateway import Denied, Gateway, Wish
from core.execution.groups import Groups
from core.execution.reconcile import Reconciler
from core.execution.renewals import Renewals
from core.execution.share import Share
from core.execution.unknowns import Unknowns
from core.risk.halts import Level
from core.venues.venue import VenueGateway, VenueListener

if TYPE_CHECKING:
    from core.engine.engine import Ports


class Listeners(NamedTuple):
    """Who hears of one venue: made before its seat, completed once it stands."""

    venue: VenueEars
    safety: Safety
    agreement: Agreement


def make_seat(
    ports: Ports,
    restored: Restored,
    desk: Desk,
    trading: Trading,
    catalogue: Catalogue,
    factory: Callable[[VenueListener], VenueGateway],
    hears: Listeners,
) -> Seat:
    """Everything that is one venue's own."""
    clocks, tasks, state = ports.clocks, desk.tasks, desk.state
    venue = factory(hears.venue)
    name = venue.traits.venue
    share = Share(desk.ledger, name)

    def gate(wish: Wish, without: str) -> Denied | str:
        return gate_line(desk, wish, without)

    def market_of(ticker: str) -> Market | None:
        known = state.markets.get(ticker)
        return known.market.as_of(clocks.world_ms()) if known is not None else None

    def awaiting_settlement(ticker: str) -> bool:
        market = market_of(ticker)
        return market is None or market.close_ms <= clocks.world_ms()

    def stuck(order: Order) -> None:
        what = f"order {order.intent.client_order_id[-4:]} cannot be resolved"
        incidents.stop(desk, incidents.market(order.intent.ticker), Level.HALTED, what)

    groups = Groups(
        net=venue,
        venue=name,
        clocks=clocks,
        tasks=tasks,
        contracts=lambda: group_contracts(state.limits.current),
        listener=hears.safety,
        reach=ports.reach,
        restored=restored.groups,
    )
    gateway = Gateway(
        share=share,
        venue=venue,
        clocks=clocks,
        rng=ports.rng,
        run=ports.run,
        durable=ports.log.durable,
        spilled=ports.log.spilled,
        gate=gate,
        groups=groups,
        tasks=tasks,
        reach=ports.reach,
    )
    reconciler = Reconciler(
        share=share,
        venue=venue,
        gateway=gateway,
        clocks=clocks,
        listener=hears.agreement,
        awaiting_settlement=awaiting_settlement,
    )
    if name in restored.cash_base:
        reconciler.cash_base = Money(restored.cash_base[name])
    seat = Seat(
        venue=venue,
        share=share,
        gateway=gateway,
        groups=groups,
        renewals=Renewals(
            share=share,
            gateway=gateway,
            clocks=clocks,
            unfit=lambda order: unfit(desk, order) or trading.unvouched(order),
        ),
        unknowns=Unknowns(
            share=share,
            venue=venue,
            clocks=clocks,
            tasks=tasks,
            unwanted=gateway.cancelling,
            on_stuck=stuck,
        ),
        reconciler=reconciler,
        flattener=Flattener(
            share=share,
            venue=venue,
            gateway=gateway,
            clocks=clocks,
            tasks=tasks,
            market_of=market_of,
            adopt=lambda ticker: catalogue.adopt(seat, ticker),
            pause_of=lambda ticker: pause_of(desk, ticker),
            countdown_s=ports.settings.engine.flatten_countdown_s,
            on_change=desk.stop.changed,
            on_denied=desk.scribe.denied_exit,
            reach=ports.reach,
        ),
        series=tuple(ports.series.get(name, ())),
    )
    return seat

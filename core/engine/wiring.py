"""Puts a desk together from its ports: every part made once, in the order in which they need each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.domain.market import Market
from core.domain.units import Money, Price, parse_price
from core.engine.account import Account
from core.engine.agreement import Agreement
from core.engine.alarms import Alarms
from core.engine.catalogue import Catalogue
from core.engine.desk import Desk
from core.engine.ears import Ears
from core.engine.equity import Equity, PeakReached
from core.engine.facts import gate_line, large
from core.engine.guard import Guard
from core.engine.halting import Halting
from core.engine.health import Health
from core.engine.presence import Supervision
from core.engine.pricing import Pricing
from core.engine.record import Scribe
from core.engine.restore import Restored
from core.engine.safety import Safety, group_contracts, pause_of, unfit
from core.engine.state import AlarmLevel, DeskState
from core.engine.tallies import Tallies
from core.engine.trading import Trading
from core.engine.trips import Trips
from core.engine.venue_ears import VenueEars
from core.engine.watched import Watched
from core.execution.approvals import Approvals, Proposal
from core.execution.flatten import Flattener
from core.execution.gateway import Denied, Gateway, Wish
from core.execution.groups import Groups
from core.execution.ledger import Ledger
from core.execution.reconcile import Reconciler
from core.execution.renewals import Renewals
from core.execution.tasks import Tasks
from core.execution.unknowns import Unknowns
from core.journal.events import Event, Kind
from core.models.weather.price import ModelId
from core.risk.exposure import Exposure
from core.risk.limits import LiveLimits
from core.strategy.rules import EntryRules

if TYPE_CHECKING:
    from core.config.settings import StrategySettings
    from core.engine.engine import Ports


def wire(
    ports: Ports, restored: Restored, venue_ears: VenueEars, ears: Ears, safety: Safety
) -> tuple[Desk, Trading, Catalogue, Guard]:
    """Make the desk. Nothing runs yet."""
    clocks, settings = ports.clocks, ports.settings
    scribe = Scribe(ports.log)
    agreement = Agreement()
    limits = LiveLimits.restored(ports.ceilings, restored.desk.limits)
    state = DeskState(
        ports.profile,
        ports.world_id,
        limits,
        paused=set(restored.desk.paused),
        armed=ports.arming is None,
        arm_phrase=ports.arming.phrase if ports.arming is not None else "",
    )
    alarms = Alarms(state, scribe, clocks)
    tasks = Tasks(ears.on_task_fault)
    venue = ports.venue(venue_ears)
    ledger = Ledger(scribe.ledger, ears)
    account = Account(state, ledger, venue.books.get, clocks)
    account.restore(restored.day, restored.moved)

    def gate(wish: Wish, without: str) -> Denied | str:
        return gate_line(desk, wish, without)

    def note(kind: str, card: Proposal, text: str) -> None:
        _note(scribe, kind, card, text)

    def note_peak(peak: PeakReached) -> None:
        ports.log.append(Event(Kind.EQUITY, peak))

    def market_of(ticker: str) -> Market | None:
        known = state.markets.get(ticker)
        return known.market.as_of(clocks.world_ms()) if known is not None else None

    def awaiting_settlement(ticker: str) -> bool:
        market = market_of(ticker)
        return market is None or market.close_ms <= clocks.world_ms()

    struck_ms = ports.struck.struck_ms if ports.struck is not None else None
    silent_s = settings.engine.watchdog_silent_s
    watched = Watched(clocks, silent_s, expected=ports.watched, struck_ms=struck_ms)
    groups = Groups(
        net=venue,
        tasks=tasks,
        contracts=lambda: group_contracts(state.limits.current),
        listener=safety,
        reach=ports.reach,
        restored=restored.groups,
    )
    gateway = Gateway(
        ledger=ledger,
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
    approvals = Approvals(
        clocks=clocks,
        note=note,
        large=lambda candidate: large(desk, candidate),
        first_number=restored.desk.proposals + 1,
    )
    approvals.changed = state.changed_proposals.touch
    pricing = Pricing(
        state=state,
        books=venue.books.get,
        clocks=clocks,
        scribe=scribe,
        alarms=alarms,
        model=ModelId(settings.strategy.model),
        replay_offset_days=ports.replay_offset_days,
        on_priced=lambda event: trading.mark_event(event),
    )
    pricing.record = restored.record
    reconciler = Reconciler(
        ledger=ledger,
        venue=venue,
        gateway=gateway,
        clocks=clocks,
        listener=agreement,
        awaiting_settlement=awaiting_settlement,
    )
    if restored.cash_base is not None:
        reconciler.cash_base = Money(restored.cash_base)
    halting = Halting(
        state, ledger, gateway, groups, approvals, scribe, clocks, ports.reach, reconciler.restraint
    )
    desk = Desk(
        clocks=clocks,
        settings=settings,
        rules=entry_rules(settings.strategy),
        state=state,
        scribe=scribe,
        alarms=alarms,
        ledger=ledger,
        venue=venue,
        exposure=Exposure(),
        account=account,
        trips=Trips(
            Tallies(ledger, clocks, lambda ticker, result: ears.posttrade.closed(ticker, result)),
            Equity(restored.peaks, note_peak),
        ),
        supervision=Supervision(state, clocks, settings.engine.unattended_max_s),
        health=Health(clocks, ports.disk_free_mb, ports.memory_mb, lambda what: _stood_still(desk, what)),
        pricing=pricing,
        approvals=approvals,
        gateway=gateway,
        groups=groups,
        watched=watched,
        renewals=Renewals(
            ledger=ledger,
            gateway=gateway,
            clocks=clocks,
            unfit=lambda order: unfit(desk, order) or trading.unvouched(order),
        ),
        unknowns=Unknowns(
            ledger=ledger,
            venue=venue,
            clocks=clocks,
            tasks=tasks,
            unwanted=gateway.cancelling,
            on_stuck=lambda order: ears.halt_market(
                order.intent.ticker, f"order {order.intent.client_order_id[-4:]} cannot be resolved"
            ),
        ),
        reconciler=reconciler,
        flattener=Flattener(
            ledger=ledger,
            venue=venue,
            gateway=gateway,
            clocks=clocks,
            tasks=tasks,
            market_of=market_of,
            adopt=lambda ticker: catalogue.adopt(ticker),
            pause_of=lambda ticker: pause_of(desk, ticker),
            countdown_s=settings.engine.flatten_countdown_s,
            on_change=ears.on_ladder,
            on_denied=scribe.denied_exit,
            reach=ports.reach,
        ),
        halting=halting,
        tasks=tasks,
        pinned_rules=restored.rules,
    )
    trading = Trading(desk)
    catalogue = Catalogue(desk, trading, ports.series)
    ears.wire(desk, trading)
    safety.wire(desk)
    desk.trips.wire(desk)
    agreement.wire(desk)
    watched.wire(desk)
    venue_ears.wire(desk, trading, catalogue)
    return desk, trading, catalogue, Guard(desk, ears)


def entry_rules(settings: StrategySettings) -> EntryRules:
    """The strategy's thresholds with what the operator configured."""
    return EntryRules(
        maker=settings.maker_entries,
        taker=settings.taker_entries,
        min_edge=Price(parse_price(str(settings.min_edge))),
        kelly=float(settings.kelly_fraction),
        depth_share=float(settings.depth_share),
    )


def _note(scribe: Scribe, kind: str, card: Proposal, text: str) -> None:
    """A card's row: made once, then one for each change of its state."""
    made = kind == "PROPOSED"
    scribe.card(
        Kind.PROPOSAL if made else Kind.PROPOSAL_STATE,
        f"{card.id} {text}" if made else f"{card.id} {kind} {text}",
        card.id,
        ticker=card.candidate.ticker,
        fingerprint=card.fingerprint,
        edge=card.candidate.edge,
        fair=card.candidate.fair,
        why=card.candidate.why,
    )


def _stood_still(desk: Desk, what: str) -> None:
    """After a gap or a clock step everything is stale until it has been read again.

    Cards rest on what was known before it, and a clock set back would let them live on.
    """
    desk.scribe.desk(Kind.ANOMALY, what)
    desk.approvals.withdraw_all(what)
    effect = "nothing but a stop is sent before the account has been read again"
    desk.alarms.raise_("gap", AlarmLevel.CHECK, what, effect, "the next clean read")
    desk.reconciler.request(what, doubt=True)

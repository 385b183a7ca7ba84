"""Puts a desk together from its ports: every part made once, in the order in which they need each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from core.domain.market import Venue
from core.domain.units import Price, parse_price
from core.engine.account import Account
from core.engine.agreement import Agreement
from core.engine.alarms import Alarms
from core.engine.audit import Audit
from core.engine.catalogue import Catalogue
from core.engine.desk import Desk
from core.engine.ears import Ears
from core.engine.equity import Equity, PeakReached
from core.engine.fixtures import Fixtures
from core.engine.forecasts import Forecasts
from core.engine.game_pricer import GamePricer
from core.engine.guard import Guard
from core.engine.halting import Halting
from core.engine.health import Health
from core.engine.history import History
from core.engine.hourly_pricer import HourlyPricer
from core.engine.judging import large, large_plan
from core.engine.others import others
from core.engine.presence import Supervision
from core.engine.pricing import Pricing
from core.engine.record import Scribe
from core.engine.release_pricer import ReleasePricer
from core.engine.releases import Releases
from core.engine.restore import Restored
from core.engine.safety import Safety
from core.engine.seating import Listeners, make_seat
from core.engine.seats import Seats
from core.engine.sources import Sources
from core.engine.state import AlarmLevel, DeskState
from core.engine.tallies import Tallies
from core.engine.told import Told
from core.engine.trading import Trading
from core.engine.trips import Trips
from core.engine.venue_ears import VenueEars
from core.engine.vetoes import Vetoes
from core.engine.watched import Watched
from core.execution.approvals import Approvals
from core.execution.ledger import Ledger
from core.execution.proposals import Proposal
from core.execution.stop import Stop
from core.execution.tasks import Tasks
from core.journal.events import Event, Kind
from core.models.calibration import Standing, Verdict
from core.models.weather.price import Knowledge, ModelId
from core.risk.exposure import Exposure
from core.risk.limits import LiveLimits
from core.risk.releases import Window
from core.strategy.rules import EntryRules

if TYPE_CHECKING:
    from core.config.settings import StrategySettings
    from core.engine.engine import Ports


class Wired(NamedTuple):
    """A desk with what runs it."""

    desk: Desk
    trading: Trading
    catalogue: Catalogue
    guard: Guard
    listeners: dict[Venue, Listeners]


def wire(ports: Ports, restored: Restored, ears: Ears, told: Told) -> Wired:
    """Make the desk. Nothing runs yet."""
    clocks, settings = ports.clocks, ports.settings
    scribe = Scribe(ports.log)
    limits = LiveLimits.restored(ports.ceilings, restored.desk.limits)
    state = DeskState(
        ports.profile,
        ports.world_id,
        limits,
        paused=set(restored.desk.paused),
        last_pause=restored.desk.last_pause,
        armed=ports.arming is None,
        arm_phrase=ports.arming.phrase if ports.arming is not None else "",
        accounts=ports.accounts,
        pairs=dict(restored.desk.pairs),
        plans=dict(restored.desk.plans),
    )
    alarms = Alarms(state, scribe, clocks)
    tasks = Tasks(ears.on_task_fault)
    ledger = Ledger(scribe.ledger, ears)
    seats = Seats(state, ledger)

    def readable(ticker: str) -> bool:
        venue = seats.venue_of(ticker)
        return venue is not None and seats[venue].ready

    account = Account(state, ledger, seats.book, readable, clocks)
    account.restore(restored.day, restored.moved)

    def note(kind: str, card: Proposal, text: str) -> None:
        _note(scribe, kind, card, text)

    def note_peak(peak: PeakReached) -> None:
        ports.log.append(Event(Kind.EQUITY, peak))

    struck_ms = ports.struck.struck_ms if ports.struck is not None else None
    silent_s = settings.engine.watchdog_silent_s
    watched = Watched(clocks, silent_s, expected=ports.watched, struck_ms=struck_ms)
    approvals = Approvals(
        clocks=clocks,
        note=note,
        large=lambda candidate, plan: large(desk, candidate) if plan is None else large_plan(desk, plan),
        first_number=restored.desk.proposals + 1,
    )
    approvals.changed = state.changed_proposals.touch
    fixtures = Fixtures(ports.log, told.games, restored.fixtures)
    forecasts = Forecasts(
        state=state,
        ledger=ledger,
        clocks=clocks,
        log=ports.log,
        known=restored.forecasts,
        past=ports.past,
        simulated=ports.simulated,
        on_standing=lambda series, model, now: _tell_standing(scribe, alarms, series, model, now),
    )
    pricing = Pricing(
        state=state,
        clocks=clocks,
        scribe=scribe,
        alarms=alarms,
        model=ModelId(settings.strategy.model),
        knowledge=Knowledge(ports.learned, replay_offset_days=ports.replay_offset_days),
        on_moved=lambda events: trading.look(events),
        spawn=tasks.spawn,
        on_refused=lambda event: trading.unpriced(event),
        quote=lambda ticker: others(desk, ticker),
        judge=ports.judge or forecasts.record.judge,
        more=(GamePricer(fixtures), ReleasePricer(), HourlyPricer()),
    )
    window = Window(settings.releases.before_s, settings.releases.after_s)
    desk = Desk(
        clocks=clocks,
        settings=settings,
        rules=entry_rules(settings.strategy),
        state=state,
        scribe=scribe,
        alarms=alarms,
        ledger=ledger,
        seats=seats,
        exposure=Exposure(),
        account=account,
        trips=Trips(
            Tallies(ledger, clocks, lambda ticker, result: ears.posttrade.closed(ticker, result)),
            Equity(restored.peaks, note_peak),
        ),
        supervision=Supervision(state, clocks, settings.engine.unattended_max_s),
        health=Health(clocks, ports.disk_free_mb, ports.memory_mb, lambda what: _stood_still(desk, what)),
        history=History(),
        pricing=pricing,
        forecasts=forecasts,
        audit=Audit(scribe, alarms),
        releases=Releases(clocks, ports.log, ports.affected, window, restored.releases),
        fixtures=fixtures,
        sources=Sources(ports.log, settings.markets.confirmed, restored.sources),
        approvals=approvals,
        vetoes=Vetoes(clocks, scribe, restored.vetoes),
        watched=watched,
        stop=Stop(clocks, ears.on_ladder, ports.reach),
        halting=Halting(state, ledger, seats, approvals, scribe, clocks, ports.reach),
        tasks=tasks,
        pinned_rules=restored.rules,
    )
    trading = Trading(desk)
    catalogue = Catalogue(desk, trading)
    listeners: dict[Venue, Listeners] = {}
    for venue, factory in ports.venues.items():
        hears = listeners[venue] = Listeners(VenueEars(), Safety(), Agreement())
        seat = seats[venue] = make_seat(ports, restored, desk, trading, catalogue, factory, hears)
        desk.stop.flatteners[venue] = seat.flattener
        hears.venue.wire(desk, seat, trading, catalogue)
        hears.safety.wire(desk, seat)
        hears.agreement.wire(desk, seat)
    ears.wire(desk, trading)
    desk.trips.wire(desk)
    watched.wire(desk)
    desk.history.wire(desk)
    return Wired(desk, trading, catalogue, Guard(desk, ears), listeners)


def entry_rules(settings: StrategySettings) -> EntryRules:
    """The strategy's thresholds with what the operator configured."""
    return EntryRules(
        maker=settings.maker_entries,
        taker=settings.taker_entries,
        min_edge=Price(parse_price(str(settings.min_edge))),
        kelly=float(settings.kelly_fraction),
        depth_share=float(settings.depth_share),
        sell_before_settlement=settings.leave_before_close_min > 0,
        leave_before_close_s=settings.leave_before_close_min * 60,
    )


def _note(scribe: Scribe, kind: str, card: Proposal, text: str) -> None:
    """A card's row: made once, then one for each change of its state."""
    made = kind == "PROPOSED"
    scribe.card(
        Kind.PROPOSAL if made else Kind.PROPOSAL_STATE,
        f"{card.id} {text}" if made else f"{card.id} {kind} {text}",
        card.id,
        ticker=card.candidate.ticker,
        plan=card.candidate.plan,
        fingerprint=card.fingerprint,
        edge=card.candidate.edge,
        fair=card.candidate.fair,
        why=card.candidate.why,
    )


def _tell_standing(scribe: Scribe, alarms: Alarms, series: str, model: str, now: Standing) -> None:
    """What a record allows has changed: who trades on it is called where it ends that."""
    text = f"{series}, {model}: {now.verdict.value} now, {now.sentence}"
    scribe.desk(Kind.STANDING, text, series=series, model=model, verdict=now.verdict.value, weight=now.weight)
    key = f"standing {series} {model}"
    if now.verdict is Verdict.WORTHLESS:
        effect = "it counts nothing beside the market there; it is scored on"
        alarms.raise_(key, AlarmLevel.CHECK, text, effect, "a record that says otherwise")
    else:
        alarms.clear(key)


def _stood_still(desk: Desk, what: str) -> None:
    """After a gap or a clock step everything is stale until it has been read again.

    Cards rest on what was known before it, and a clock set back would let them live on.
    """
    desk.scribe.desk(Kind.ANOMALY, what)
    desk.approvals.withdraw_all(what)
    effect = "nothing but a stop is sent before the account has been read again"
    desk.alarms.raise_("gap", AlarmLevel.CHECK, what, effect, "the next clean read")
    desk.seats.read(what, doubt=True)

"""Entries of one event: at most one order a market, sized together, best first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from core.domain.fees import UnknownFeeError
from core.domain.market import MarketStatus
from core.domain.order import BookSide, Purpose, TimeInForce
from core.domain.units import ONE_CONTRACT, ONE_DOLLAR, Money, Price, Quantity, notional_up, price_floor
from core.models.fair_value import EventFair, FairValue
from core.strategy.against import against
from core.strategy.assess import (
    Assessment,
    depth_share,
    edge_at,
    expected_fill,
    needed_edge,
    resting_on,
    share_filled,
    too_good,
    visible,
)
from core.strategy.edge import cost_at, paid, per_contract
from core.strategy.outcomes import Outcomes, outcomes
from core.strategy.proposal import Candidate, FeeRole, Sizing
from core.strategy.rules import EntryRules, Headroom, MarketView
from core.strategy.sizing import Cap, Held, Offer, Stake, affordable, holds, played, smallest, stakes, whole

HOUR_MS = 3_600_000
QUIET_HOURS = 2
"""World hours without a forecast that moved, from which a reason says so first."""

Sizes = Callable[[Outcomes, Sequence[Offer], Mapping[str, Sequence[Held]], Money], Mapping[str, Stake]]


class _Chance(msgspec.Struct, frozen=True):
    """An entry worth sizing. ``unit_cost`` is the most a contract of the outcome bought may cost to open."""

    fair: FairValue
    view: MarketView
    found: Assessment
    unit_cost: Price

    def offer(self, headroom: Headroom, rules: EntryRules) -> Offer:
        """As a bet. All that the edge leaves out is cost, the fee of a planned sale included."""
        p, yes = self.fair.probability, self.found.side is BookSide.BID
        edge = self.found.edge / ONE_DOLLAR
        return Offer(
            ticker=self.found.ticker,
            yes=yes,
            cost=price_floor(p if yes else 1.0 - p) / ONE_DOLLAR - edge,
            edge=edge,
            sigma=max(self.fair.sigma, rules.sigma_floor),
            most=smallest(_own_caps(self, headroom, rules)).quantity,
        )


class _Play(msgspec.Struct, frozen=True):
    """What Kelly was played with on an event."""

    part: float
    """Of the bankroll."""
    holds: bool
    """Whether something is held or on order there."""

    @property
    def name(self) -> str:
        """Of the cap that it makes."""
        return "kelly beside what is held" if self.holds else "kelly"


def entries(
    event: EventFair,
    views: Mapping[str, MarketView],
    assessed: Mapping[str, Assessment],
    headroom: Headroom,
    rules: EntryRules,
    now_ms: int,
    size: Sizes = stakes,
) -> tuple[Candidate, ...]:
    """Orders that would open risk in this event now, by expected profit, the largest first.

    ``views`` and ``assessed`` hold the event's markets by ticker; one that is missing is not traded.
    ``now_ms`` is world time. What earlier candidates would use is taken from the headroom of later ones.
    """
    chances = [c for fair in event.values if (c := _chance(fair, views, assessed, rules)) is not None]
    shape = outcomes_of(event, views) if chances else ""
    if isinstance(shape, str):
        return ()
    chances.sort(key=lambda c: -_brings(c.found))
    held = {ticker: _held(view) for ticker, view in views.items()}
    playing = played(headroom.bankroll, rules.kelly, headroom.elsewhere)
    wanted = size(shape, [c.offer(headroom, rules) for c in chances], held, playing)
    play = _Play(
        part=playing / headroom.bankroll if headroom.bankroll else 0.0,
        holds=holds(held),
    )
    made: list[Candidate] = []
    spent = Money(0)
    for chance in chances[: max(0, headroom.open_orders)]:
        candidate = _sized(chance, wanted[chance.found.ticker], play, headroom, spent, event, rules, now_ms)
        if candidate is not None:
            made.append(candidate)
            spent = Money(spent + worst_cost(candidate))
    made.sort(key=lambda c: -c.edge * c.fill * c.quantity)
    return tuple(made)


def outcomes_of(event: EventFair, views: Mapping[str, MarketView]) -> Outcomes | str:
    """How the event's markets that can be seen hang together, or why they cannot be sized."""
    return outcomes([(views[f.ticker].market, f.probability) for f in event.values if f.ticker in views])


def worst_cost(candidate: Candidate) -> Money:
    """Most an opening order can lose: its price and fees, nothing back."""
    return Money(notional_up(paid(candidate.side, candidate.price), candidate.quantity) + candidate.fee)


def lapsed(fair: FairValue, view: MarketView, candidate: Candidate, rules: EntryRules, now_ms: int) -> str:
    """Why an entry proposed or working should be withdrawn; empty while it is still wanted.

    Half the edge needed for a new entry keeps one alive, so that noise does not cancel and re-send.
    """
    if view.stale or fair.unpooled:
        return view.stale or fair.unpooled
    if view.market.status is not MarketStatus.ACTIVE:
        return f"market is {view.market.status.value}"
    order = candidate
    try:
        at = edge_at(fair, view, order.side, order.price, order.quantity, order.fee_role, rules)
    except UnknownFeeError as error:
        return str(error)
    if at is None:
        return "nothing left to take"
    cost, edge = at
    if edge * 2 < needed_edge(fair, view, order.side, order.price, cost, rules):
        return f"edge is down to {edge / 100:+.1f}c"
    if doubt := too_good(fair, view, order.price, edge, rules):
        return doubt
    if (view.market.close_ms - now_ms) // 1000 < rules.entries_end_s:
        return "market is about to close"
    return ""


class Move(msgspec.Struct, frozen=True):
    """A resting entry as it would be sent to a better place, and why it should be."""

    order: Candidate
    why: str


def displaced(
    fair: FairValue, view: MarketView, order: Candidate, before: Quantity, rules: EntryRules
) -> Move | None:
    """Where a resting entry with ``before`` contracts ahead of it is better placed; ``None`` where it is not.

    A tick of price is weighed against the share that is expected to fill: a good place in the queue is kept.
    Of the whole order: a smaller one that fills sooner is no better place for what it leaves out.
    """
    now = edge_at(fair, view, order.side, order.price, order.quantity, order.fee_role, rules)
    found = resting_on(order.side, fair, view, rules, order.quantity)
    places = [a for a in found if a.pays and a.price != order.price]
    best = max(places, key=_brings, default=None)
    if now is None or best is None:
        return None
    gain = _brings(best) / order.quantity - now[1] * share_filled(before, order.quantity, rules)
    if gain < rules.requote_gain:
        return None
    fee = cost_at(view.market.fees, best.side, best.price, best.quantity, best.role).fee
    return Move(
        msgspec.structs.replace(order, price=best.price, quantity=best.quantity, fee=fee, edge=best.edge),
        f"a place at {paid(order.side, best.price) / 100:g}c is worth {gain / 100:.1f}c more",
    )


def _brings(place: Assessment) -> float:
    return place.edge * place.fill * place.quantity


def _held(view: MarketView) -> tuple[Held, ...]:
    """A market's position and its unfinished entries, as though they had filled."""
    opening = view.opening_bid - view.opening_ask
    return (
        Held(view.position.net, view.position.cost),
        Held(Quantity(opening), view.opening_cost),
    )


def _chance(
    fair: FairValue,
    views: Mapping[str, MarketView],
    assessed: Mapping[str, Assessment],
    rules: EntryRules,
) -> _Chance | None:
    view, found = views.get(fair.ticker), assessed.get(fair.ticker)
    if view is None or found is None or not found.tradable:
        return None
    at = edge_at(fair, view, found.side, found.price, found.quantity, found.role, rules)
    if at is None:
        return None
    cost, _ = at
    # By its limit, which a taking order may reach; the fee of a single contract rounds up most.
    limit, alone = paid(found.side, found.price), Quantity(min(cost.filled, ONE_CONTRACT))
    fee = cost_at(view.market.fees, found.side, found.price, alone, found.role).fee
    unit = limit + max(per_contract(fee, alone), per_contract(cost.fee, cost.filled))
    return _Chance(fair, view, found, Price(unit))


def _sized(
    chance: _Chance,
    stake: Stake,
    play: _Play,
    headroom: Headroom,
    spent: Money,
    event: EventFair,
    rules: EntryRules,
    now_ms: int,
) -> Candidate | None:
    fair, view, found = chance.fair, chance.view, chance.found
    shared = _shared_caps(chance, headroom, spent)
    caps = (*_own_caps(chance, headroom, rules), *shared, Cap(play.name, stake.wanted))
    bound, least = smallest(caps), max(rules.min_quantity, view.market.minimum)
    if bound.quantity < least:
        return None
    less = max(whole(Quantity(bound.quantity // 2)), least)
    at = edge_at(fair, view, found.side, found.price, bound.quantity, found.role, rules)
    half = edge_at(fair, view, found.side, found.price, less, found.role, rules)
    if at is None or half is None:
        return None
    cost, edge = at
    # A small order pays more fee per contract than the share of depth that was assessed.
    if edge < needed_edge(fair, view, found.side, found.price, cost, rules):
        return None
    maker = found.role is FeeRole.MAKER
    return Candidate(
        ticker=found.ticker,
        event_ticker=event.event_ticker,
        strategy=rules.strategy,
        side=found.side,
        purpose=Purpose.OPEN,
        price=found.price,
        quantity=bound.quantity,
        tif=TimeInForce.GTC if maker else TimeInForce.IOC,
        post_only=maker,
        reduce_only=False,
        fee_role=found.role,
        fee=cost.fee,
        edge=edge,
        edge_half=half[1],
        fair=fair.probability,
        sigma=fair.sigma,
        model=fair.model,
        model_version=fair.version,
        sizing=Sizing(stake.full, play.part, bound.name, stake.shrink),
        why=reason(event, now_ms),
        against=against(fair, found, view, rules, now_ms),
        lifetime_s=rules.lifetime_s,
        fill=expected_fill(view, found.side, found.price, bound.quantity, found.role, rules),
    )


def reason(event: EventFair, now_ms: int) -> str:
    """Why now: what moved its forecasts last, and where that was hours ago that nothing has since."""
    moved = [driver.since_ms for driver in event.drivers if driver.before is not None]
    hours = (now_ms - max(moved, default=now_ms)) // HOUR_MS
    return event.why if hours < QUIET_HOURS else f"no forecast moved for {hours}h; last {event.why}"


def _own_caps(chance: _Chance, headroom: Headroom, rules: EntryRules) -> Sequence[Cap]:
    """What bounds an order in this market alone, in the order in which equal ones are named."""
    view, found, unit = chance.view, chance.found, chance.unit_cost
    shown = visible(view, found.side, found.price, found.role) // ONE_CONTRACT
    share = depth_share(view, found.side, found.price, found.role, rules)
    return (
        Cap(f"depth share ({rules.depth_share:.0%} of {shown})", share),
        Cap("order size", whole(headroom.order_quantity)),
        Cap("order cost", affordable(headroom.order_cost, unit)),
        Cap("market limit", affordable(headroom.market.get(found.ticker, Money(0)), unit)),
    )


def _shared_caps(chance: _Chance, headroom: Headroom, spent: Money) -> Sequence[Cap]:
    """What the event's orders, of which ``spent`` is taken, may use together with others."""
    limits = (
        ("event limit", headroom.event),
        (f"correlated limit ({headroom.source})", headroom.correlated),
        ("venue limit", headroom.venue),
        ("total limit", headroom.total),
        ("cash", headroom.cash),
    )
    return tuple(Cap(name, affordable(Money(limit - spent), chance.unit_cost)) for name, limit in limits)

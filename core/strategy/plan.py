"""A plan: orders of several markets that are decided on together, what they are sure to bring, and what not.

Its legs leave one after another, the cheapest first: whatever stays alone when one fails is then the least
that can. Each is immediate-or-cancel, and a later leg never asks for more than the earlier ones got.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from core.domain.fees import SMALLEST_FILL, UnknownFeeError, estimate
from core.domain.market import Market
from core.domain.order import BookSide, Outcome, Purpose, TimeInForce
from core.domain.units import (
    ONE_DOLLAR,
    Money,
    Price,
    Quantity,
    complement,
    dollars_text,
    notional,
    notional_up,
)
from core.strategy.arbitrage import PlanKind, Taking, charge
from core.strategy.edge import paid
from core.strategy.linked import apart
from core.strategy.proposal import Candidate, FeeRole, Sizing
from core.strategy.questions import Question
from core.strategy.rules import MarketView

ARBITRAGE: Final = "arbitrage"
"""The strategy of plans and of what is left of one."""


class Plan(msgspec.Struct, frozen=True):
    """One decision on several orders."""

    kind: PlanKind
    legs: tuple[Candidate, ...]
    """In the order in which they leave."""
    pays: Money
    """What they pay together in the worst outcome with every leg filled."""
    profit: Money
    """That less all they may cost at their limits, fees and the charge for two venues included."""
    worst: Money
    """The most that can be lost whichever legs fail and whatever happens."""
    cautions: tuple[str, ...]
    """What can still go wrong, a clause each."""

    @property
    def sets(self) -> Quantity:
        return self.legs[0].quantity

    @property
    def cost(self) -> Money:
        """Of all legs, fees apart."""
        return Money(sum(notional_up(leg.outcome_price, leg.quantity) for leg in self.legs))

    @property
    def fee(self) -> Money:
        return Money(sum(leg.fee for leg in self.legs))

    @property
    def edge(self) -> Price:
        """Profit of one set."""
        return Price(self.profit * ONE_DOLLAR // self.sets)

    @property
    def tickers(self) -> frozenset[str]:
        return frozenset(leg.ticker for leg in self.legs)

    @property
    def terms(self) -> tuple[tuple[str, BookSide, Price], ...]:
        """What would be bought where and at which limit, the size apart."""
        return tuple((leg.ticker, leg.side, leg.price) for leg in self.legs)


def plan_of(
    kind: PlanKind,
    takings: Sequence[Taking],
    quantity: Quantity,
    question: Question | None,
    bound_by: str,
) -> Plan | str:
    """A set as orders of ``quantity`` each, or why it is none.

    Without a question the legs are two venues' markets for the same one, by the operator's word alone.
    """
    name = f"{kind.value}, {len(takings)} legs"
    ordered = sorted(takings, key=lambda t: (paid(t.side, t.limit(quantity)), t.market.ticker))
    try:
        costs = [taking.cost(quantity) for taking in ordered]
        fees = [taking.fee(quantity) for taking in ordered]
        shown = Money(sum(taking.cost_as_shown(quantity) for taking in ordered))
    except UnknownFeeError as unknown:
        return str(unknown)
    cases = _cases(ordered, question)
    sure = min(sum(case) for case in cases) if question is not None else 1
    settling = charge(quantity) if question is None else 0
    profit = Money(sure * quantity - sum(costs) - settling)
    if profit <= 0:
        return "it brings nothing at this size"
    worst = max(
        sum(max(0, cost - pays * quantity) for cost, pays in zip(costs, case, strict=True)) for case in cases
    )
    cautions = _cautions(ordered, question, Money(worst))
    why = _why(name, Money(sure * quantity), Money(sum(costs)), shown)
    edge = Price(profit * ONE_DOLLAR // quantity)
    edge_shown = Price((sure * quantity - shown - settling) * ONE_DOLLAR // quantity)
    legs = tuple(
        Candidate(
            ticker=taking.market.ticker,
            event_ticker=taking.market.event_ticker,
            strategy=ARBITRAGE,
            side=taking.side,
            purpose=Purpose.OPEN,
            price=taking.limit(quantity),
            quantity=quantity,
            tif=TimeInForce.IOC,
            post_only=False,
            reduce_only=False,
            fee_role=FeeRole.TAKER,
            fee=fee,
            edge=edge,
            edge_half=edge_shown,
            fair=0.0,
            sigma=0.0,
            model="",
            model_version="",
            sizing=Sizing(0.0, 0.0, bound_by),
            why=why,
            against=cautions[0],
            plan=name,
        )
        for taking, fee in zip(ordered, fees, strict=True)
    )
    return Plan(kind, legs, Money(sure * quantity), profit, Money(worst), cautions)


def recharged(plan: Plan, fees: Sequence[Money]) -> Plan:
    """A plan whose legs are charged these fees instead, in their order; ``worst`` only ever grows."""
    grown = [fee - leg.fee for fee, leg in zip(fees, plan.legs, strict=True)]
    if not any(grown):
        return plan
    profit = Money(plan.profit - sum(grown))
    worst = Money(plan.worst + sum(max(0, more) for more in grown))
    edge = Price(profit * ONE_DOLLAR // plan.sets)
    edge_shown = Price(edge + plan.legs[0].edge_half - plan.legs[0].edge)
    cost = Money(plan.cost + sum(fees))
    why = _why(plan.legs[0].plan, plan.pays, cost, cost)
    cautions = (_failing(worst), *plan.cautions[1:])
    return msgspec.structs.replace(
        plan,
        legs=tuple(
            msgspec.structs.replace(
                leg, fee=fee, edge=edge, edge_half=edge_shown, why=why, against=cautions[0]
            )
            for leg, fee in zip(plan.legs, fees, strict=True)
        ),
        profit=profit,
        worst=worst,
        cautions=cautions,
    )


def _why(name: str, pays: Money, cost: Money, shown: Money) -> str:
    """``shown`` is what it costs with all that books show before its limits."""
    if shown == cost:
        return f"{name}: pays {dollars_text(pays)} for {dollars_text(cost)}"
    return (
        f"{name}: pays {dollars_text(pays)} for {dollars_text(shown)} as shown, at most {dollars_text(cost)}"
    )


def _failing(worst: Money) -> str:
    """What a leg that fails may cost."""
    return f"a leg that fails leaves the others open: up to {dollars_text(worst)} is lost then"


def _cases(takings: Sequence[Taking], question: Question | None) -> list[list[bool]]:
    """Everything that can happen, as what each leg pays in it."""
    if question is None:
        return [[False] * len(takings), *([i == j for i in range(len(takings))] for j in range(len(takings)))]
    spans = [question.spans[taking.market.ticker] for taking in takings]
    ends = sorted({end for span in spans for end in (span.low, span.high) if math.isfinite(end)})
    # Steps between two neighbouring ends are alike: the first of each stands for them.
    steps = [-math.inf, *ends]
    yes = [taking.side is BookSide.BID for taking in takings]
    return [[span.holds(step) is side for span, side in zip(spans, yes, strict=True)] for step in steps]


def _cautions(takings: Sequence[Taking], question: Question | None, worst: Money) -> tuple[str, ...]:
    """What can still go wrong with these legs."""
    said = [_failing(worst)]
    markets = [taking.market for taking in takings]
    if question is None:
        differs = "; ".join(apart(*markets[:2]))
        said.append("two venues settle by two sources, two void rules and two disputes: both may pay nothing")
        said += [differs] if differs else []
        return tuple(said)
    if len({market.series_ticker for market in markets}) > 1:
        said.append("two series on one figure: a correction or a void may meet one and not the other")
    said.append("a market that is voided or paid at a fair price breaks the set")
    if any(market.settlement_timer_s for market in markets):
        longest = max(market.settlement_timer_s for market in markets)
        said.append(f"money is bound until settlement and up to {-(-longest // 3600)} h more")
    return tuple(said)


def unlike(first: Market, second: Market) -> str:
    """Why two linked markets are no arbitrage whatever they cost: another station or day; empty if they are.

    Of weather everything that is settled on must be known and the same on both.
    """
    if first.station is None and second.station is None:
        return ""
    for what, one, other in (
        ("station", first.station, second.station),
        ("day", first.climate_day, second.climate_day),
        ("extreme", first.extreme, second.extreme),
    ):
        if one is None or other is None or one != other:
            return f"not the same {what}: a spread between two bets, no arbitrage"
    return ""


def plan_fingerprint(proposal_id: str, plan: Plan, expires_ms: int) -> str:
    """What an approval of a plan approves: every leg with market, side, price and size, in their order."""
    parts = [proposal_id, plan.kind.value, str(expires_ms)]
    for leg in plan.legs:
        parts += [leg.ticker, leg.side.value, str(leg.price), str(leg.quantity)]
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:12]


class Kept(msgspec.Struct, frozen=True):
    """What plans have left in one market: ``sets`` belong to complete sets, ``rest`` to none."""

    outcome: Outcome
    sets: Quantity = Quantity(0)
    rest: Quantity = Quantity(0)
    name: str = ""
    """Of the plan, with the id of its card."""

    @property
    def rule(self) -> str:
        """What becomes of it, in words."""
        return f"rest of {self.name}: to be sold" if self.rest else f"part of {self.name}: held to settlement"


def kept(
    filled: Mapping[str, Quantity], sold: Mapping[str, Quantity], ticker: str
) -> tuple[Quantity, Quantity]:
    """Contracts of a plan's leg that are part of complete sets, and those that are not.

    ``filled`` has every leg; what was ``sold`` in a market since came from the rest first.
    """
    complete = min(filled.values(), default=Quantity(0))
    rest, gone = filled[ticker] - complete, sold.get(ticker, Quantity(0))
    return Quantity(max(0, complete - max(0, gone - rest))), Quantity(max(0, rest - gone))


def rest_exit(view: MarketView, found: Kept) -> Candidate | None:
    """Selling what is left of a broken plan to the touch, reduce-only; ``None`` while nobody is there."""
    side = BookSide.ASK if found.outcome is Outcome.YES else BookSide.BID
    touch = view.book.best_bid if side is BookSide.ASK else view.book.best_ask
    if view.stale or view.book.crossed or touch is None:
        return None
    free = min(found.rest, view.sellable, view.book.size(side.opposite, touch))
    quantity = Quantity(free - free % SMALLEST_FILL)
    if quantity < max(SMALLEST_FILL, view.market.minimum):
        return None
    try:
        fee = estimate(view.market.fees, touch, quantity, is_taker=True)
    except UnknownFeeError:
        fee = Money(0)  # an exit is not held up by a fee nobody can compute
    brings = notional(touch if side is BookSide.ASK else complement(touch), quantity)
    return Candidate(
        ticker=view.market.ticker,
        event_ticker=view.market.event_ticker,
        strategy=ARBITRAGE,
        side=side,
        purpose=Purpose.CLOSE,
        price=touch,
        quantity=quantity,
        tif=TimeInForce.IOC,
        post_only=False,
        reduce_only=True,
        fee_role=FeeRole.TAKER,
        fee=fee,
        edge=Price(0),
        edge_half=Price(0),
        fair=0.0,
        sigma=0.0,
        model="",
        model_version="",
        sizing=Sizing(0.0, 0.0, "what is left of the plan"),
        why=f"rest of broken {found.name}: sells for {dollars_text(brings)}",
        against="kept, it is a position of its own without a model's word",
    )

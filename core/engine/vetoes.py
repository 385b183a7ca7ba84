"""What people said no to, and what it would have come to: vetoes followed to settlement.

A veto is a row of the journal, of which the newest of a card counts, because its reason may be told after it;
how its markets ended is another. A restart folds both. A card that comes back after a veto is the same
question asked again: only the first veto of a trade counts in what the judgement was worth.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping

import msgspec

from core.domain.clock import Clocks
from core.domain.market import Market, Venue
from core.domain.order import Outcome, Purpose
from core.domain.units import ONE_DOLLAR, Money, Price, Quantity, money_text, notional
from core.engine.record import Scribe
from core.execution.proposals import Proposal
from core.journal.events import Kind, Row

VETOES_KEPT = 500
"""The oldest are let go of."""
ASKED_AFTER_MS = 1_800_000
"""A market that left the desk without a result is asked for so long after its close, and no oftener."""
ASKED_MAX = 3
"""Markets asked for at a time."""
LOST_AFTER_MS = 30 * 86_400_000
"""So long after its close a market is asked for no more."""
_PAYOUTS = {"yes": ONE_DOLLAR, "no": Price(0), "split": Price(5_000)}
"""What a YES contract is paid by its market's result; any other result tells no figure."""
VETO_KINDS = (Kind.VETO.value, Kind.VETO_OUTCOME.value)


class VetoReason(enum.Enum):
    PRICE = "price"
    DATA = "data"
    NEWS = "news"
    SIZE = "size"
    OTHER = "other"
    NONE = ""


class VetoedLeg(msgspec.Struct, frozen=True, array_like=True):
    """One order of what was vetoed."""

    venue: Venue
    ticker: str
    closes_ms: int
    """World time."""
    yes: bool
    """The outcome that would have been traded, and ``price`` is in terms of it."""
    price: Price
    quantity: Quantity


class Vetoed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A card a person said no to. The row of ``VETO`` holds besides what the decision rested on."""

    text: str
    proposal_id: str
    fingerprint: str
    """By which it was vetoed: its reason may follow by the same."""
    by: str
    at_ms: int
    """World time."""
    label: str
    closes: bool
    """It would have sold what is held."""
    legs: tuple[VetoedLeg, ...]
    fee: Money
    fill: float
    """Share of it expected to fill within an hour."""
    edge: Price
    reason: VetoReason = VetoReason.NONE
    said: str = ""

    @property
    def trade(self) -> tuple[object, ...]:
        """What was asked, whatever its price and size."""
        return self.closes, *((leg.ticker, leg.yes) for leg in self.legs)


class VetoEnded(msgspec.Struct, frozen=True):
    """How the markets of a veto ended, and the payload of ``VETO_OUTCOME``: the newest counts."""

    text: str
    proposal_id: str
    paid: dict[str, int | None]
    """What a YES contract was paid, by ticker; ``None``: the result tells no figure."""


class VetoBook(msgspec.Struct):
    """The newest vetoes by the id of their card, oldest first, and how they ended."""

    vetoes: dict[str, Vetoed] = {}
    ended: dict[str, VetoEnded] = {}

    def take(self, row: Row) -> None:
        """Fold one row of a journal; raises ``msgspec.MsgspecError`` for a payload of another shape."""
        if row.kind == Kind.VETO.value:
            self.put(_vetoed.decode(row.payload))
        elif row.kind == Kind.VETO_OUTCOME.value:
            self.end(_ended.decode(row.payload))

    def put(self, veto: Vetoed) -> None:
        self.vetoes[veto.proposal_id] = veto
        while len(self.vetoes) > VETOES_KEPT:
            oldest = next(iter(self.vetoes))
            del self.vetoes[oldest]
            self.ended.pop(oldest, None)

    def end(self, ended: VetoEnded) -> None:
        if ended.proposal_id in self.vetoes:
            self.ended[ended.proposal_id] = ended

    def would(self, veto: Vetoed) -> Money | None:
        """What it would have made, filled whole and its fee paid; of a sale, against holding on. ``None``
        before all of its markets have paid a figure."""
        ended = self.ended.get(veto.proposal_id)
        if ended is None:
            return None
        made = -veto.fee
        for leg in veto.legs:
            yes = ended.paid.get(leg.ticker)
            if yes is None:
                return None
            paid = yes if leg.yes else ONE_DOLLAR - yes
            gain = notional(Price(paid), leg.quantity) - notional(leg.price, leg.quantity)
            made += -gain if veto.closes else gain
        return Money(made)

    def first(self) -> set[str]:
        """Ids of the vetoes that count: of each trade the first."""
        trades: dict[tuple[object, ...], str] = {}
        for veto in self.vetoes.values():
            trades.setdefault(veto.trade, veto.proposal_id)
        return set(trades.values())


_vetoed, _ended = msgspec.json.Decoder(Vetoed), msgspec.json.Decoder(VetoEnded)


class Worth(msgspec.Struct, frozen=True):
    """What vetoes of one reason came to. Repeats of a trade do not count."""

    reason: VetoReason
    vetoes: int
    settled: int
    right: int
    """Of the settled ones those that would have lost money."""
    made: Money
    """What all of the settled ones would have made, filled whole; below nothing, the vetoes have paid."""
    expected: Money
    """The same, each by the share of it that was expected to fill."""


def worth(book: VetoBook) -> tuple[Worth, ...]:
    """A line a reason that was given, in their order."""
    first = book.first()
    found = []
    for reason in VetoReason:
        own = [v for v in book.vetoes.values() if v.reason is reason and v.proposal_id in first]
        made = [(would, v.fill) for v in own if (would := book.would(v)) is not None]
        if own:
            found.append(
                Worth(
                    reason=reason,
                    vetoes=len(own),
                    settled=len(made),
                    right=sum(would < 0 for would, _ in made),
                    made=Money(sum(would for would, _ in made)),
                    expected=Money(round(sum(would * fill for would, fill in made))),
                )
            )
    return tuple(found)


def reason_of(said: str) -> VetoReason:
    """The reason whose word begins what was said; anything else said is another reason."""
    word = said.strip().lower().partition(" ")[0].rstrip(":,;.")
    try:
        return VetoReason(word)
    except ValueError:
        return VetoReason.OTHER


class Vetoes:
    """Takes vetoes down and follows them. ``book`` is what they come to."""

    def __init__(self, clocks: Clocks, scribe: Scribe, known: VetoBook) -> None:
        self._clocks, self._scribe = clocks, scribe
        self.book = known
        self._paid: dict[str, int | None] = {}
        """What a YES contract was paid, by ticker of a veto."""
        self._asked_ms: dict[str, int] = {}
        for ended in known.ended.values():
            self._paid.update(ended.paid)

    def add(
        self,
        card: Proposal,
        fingerprint: str,
        markets: Mapping[str, Market],
        said: str,
        by: str,
        decision: Mapping[str, object],
    ) -> None:
        """A card was vetoed. ``fingerprint``: what the operator had seen of it, which may have moved since;
        ``markets``: those it would have traded in; ``decision``: what it rested on."""
        candidate, plan = card.candidate, card.plan
        legs = (candidate,) if plan is None else plan.legs
        self._write(
            Vetoed(
                text=f"{card.id} vetoed{f' ({said})' if said else ''}: {card.sentence}",
                proposal_id=card.id,
                fingerprint=fingerprint,
                by=by,
                at_ms=self._clocks.world_ms(),
                label=markets[candidate.ticker].label,
                closes=candidate.purpose is Purpose.CLOSE,
                legs=tuple(
                    VetoedLeg(
                        markets[leg.ticker].venue,
                        leg.ticker,
                        markets[leg.ticker].close_ms,
                        leg.outcome is Outcome.YES,
                        leg.outcome_price,
                        leg.quantity,
                    )
                    for leg in legs
                ),
                fee=candidate.fee if plan is None else plan.fee,
                fill=candidate.fill,
                edge=candidate.edge,
                reason=reason_of(said),
                said=said,
            ),
            by,
            decision,
        )

    def explain(self, proposal_id: str, fingerprint: str, said: str, by: str) -> bool:
        """Give a veto its reason afterwards, or another; false where there is no such veto."""
        veto = self.book.vetoes.get(proposal_id)
        if veto is None or veto.fingerprint != fingerprint:
            return False
        text = f"{proposal_id} was vetoed for: {said}"
        self._write(msgspec.structs.replace(veto, text=text, reason=reason_of(said), said=said), by, {})
        return True

    def _write(self, veto: Vetoed, actor: str, decision: Mapping[str, object]) -> None:
        self.book.put(veto)
        told = {**decision, **msgspec.structs.asdict(veto)}
        del told["text"], told["proposal_id"]
        ticker = veto.legs[0].ticker
        self._scribe.card(Kind.VETO, veto.text, veto.proposal_id, actor=actor, ticker=ticker, **told)

    # --- what came -----------------------------------------------------------------------------

    def settled(self, market: Market) -> None:
        """A market as the venue describes it: one with a result ends the vetoes that waited for it."""
        ticker = market.ticker
        paid = _PAYOUTS.get(market.result)
        if not market.result or (ticker in self._paid and self._paid[ticker] == paid):
            return
        waiting = [v for v in self.book.vetoes.values() if any(leg.ticker == ticker for leg in v.legs)]
        if not waiting:
            return
        self._paid[ticker] = paid
        for veto in waiting:
            if all(leg.ticker in self._paid for leg in veto.legs):
                self._end(veto)
        self._let_go()

    def _end(self, veto: Vetoed) -> None:
        paid = {leg.ticker: self._paid[leg.ticker] for leg in veto.legs}
        self.book.end(VetoEnded("", veto.proposal_id, paid))
        made = self.book.would(veto)
        came = "cannot be told" if made is None else f"would have made {money_text(made)}"
        text = f"{veto.proposal_id}, vetoed, {came}: {veto.label}"
        self._scribe.card(Kind.VETO_OUTCOME, text, veto.proposal_id, ticker=veto.legs[0].ticker, paid=paid)

    def _let_go(self) -> None:
        known = {leg.ticker for veto in self.book.vetoes.values() for leg in veto.legs}
        self._paid = {ticker: paid for ticker, paid in self._paid.items() if ticker in known}
        self._asked_ms = {ticker: at for ticker, at in self._asked_ms.items() if ticker in known}

    def unsettled(self, venue: Venue, on_desk: Iterable[str], now_ms: int) -> tuple[str, ...]:
        """Markets of a venue that closed, have left the desk, and are to be asked for now, by world time."""
        here, found = set(on_desk), dict[str, None]()
        for veto in self.book.vetoes.values():
            for leg in veto.legs:
                known = leg.venue is not venue or leg.ticker in here or leg.ticker in self._paid
                since_ms = now_ms - leg.closes_ms
                asked_ms = self._asked_ms.get(leg.ticker, leg.closes_ms)
                due = since_ms < LOST_AFTER_MS and now_ms - asked_ms >= ASKED_AFTER_MS
                if not known and due and len(found) < ASKED_MAX:
                    found[leg.ticker] = None
        self._asked_ms.update(dict.fromkeys(found, now_ms))
        return tuple(found)

"""What an operator says of two markets: that they ask the same question, or do so no longer."""

from __future__ import annotations

import msgspec

from core.domain.market import Market
from core.domain.units import Quantity, quantity_text
from core.engine import pairs
from core.engine.hands import Hands
from core.engine.operator import VIEWER_REFUSED, Actor, Outcome, accepted, refused
from core.journal.projections import Pair, PairState
from core.strategy.linked import CAUTION, apart

_HASH_SHOWN = 8


class Linking(Hands):
    """See the module."""

    def link_markets(
        self, first: str, second: str, quantity: Quantity, actor: Actor, *, opposite: bool
    ) -> Outcome:
        """Pin both rules texts as they read now. ``opposite``: YES of one is NO of the other."""
        if not actor.may_operate:
            return VIEWER_REFUSED
        if not pairs.valid(quantity):
            return refused(
                f"{quantity_text(quantity)} contracts cannot be compared: use hundredths of contracts, "
                f"more than 0 and at most {quantity_text(pairs.QUANTITY_MAX)}."
            )
        markets = []
        for ticker in (first, second):
            known = self.desk.state.markets.get(ticker)
            if known is None:
                return refused(f"{ticker[:80]!r} is no market of this desk; pmconsole markets lists them.")
            markets.append(known.market)
        one, other = markets
        against = self._against(one, other)
        if against:
            return refused(against)
        if (other.ticker, one.ticker) in self.desk.state.pairs:
            one, other = other, one  # linked again, it stays where it is listed
        pair = Pair(
            first=one.ticker,
            second=other.ticker,
            opposite=opposite,
            quantity=quantity,
            first_rules=one.rules_hash,
            second_rules=other.rules_hash,
            by=actor.name,
            at_ms=self.desk.clocks.wall_ms(),
        )
        self._present(actor)
        pairs.record(self.desk, pair, actor.name)
        pinned = " and ".join(market.rules_hash[:_HASH_SHOWN] for market in (one, other))
        differs = "".join(f"; {what}" for what in apart(one, other))
        return accepted(f"Linked, texts pinned as they read now ({pinned}){differs}. {CAUTION}")

    def _against(self, one: Market, other: Market) -> str:
        if one.venue is other.venue:
            return f"{one.ticker} and {other.ticker} are both on {one.venue.short}: a pair needs two venues."
        over = next((market for market in (one, other) if market.status in pairs.OVER), None)
        if over is not None:
            return f"{over.ticker} is {over.status.value}: there is nothing left to compare."
        known = pairs.find(self.desk, one.ticker, other.ticker)
        if known is not None and known.state is PairState.LINKED:
            return f"{one.ticker} and {other.ticker} are linked already; link remove comes first."
        if known is None and len(self.desk.state.pairs) >= pairs.PAIRS_MAX:
            return f"{pairs.PAIRS_MAX} pairs are linked, which is all a desk keeps; link remove comes first."
        return ""

    def unlink_markets(self, first: str, second: str, actor: Actor) -> Outcome:
        """The pair is no longer listed."""
        if not actor.may_operate:
            return VIEWER_REFUSED
        pair = pairs.find(self.desk, first, second)
        if pair is None:
            return refused(
                f"{first[:80]!r} and {second[:80]!r} are not linked; pmconsole links lists what is."
            )
        self._present(actor)
        gone = msgspec.structs.replace(pair, state=PairState.REMOVED, why="")
        pairs.record(self.desk, gone, actor.name)
        return accepted(f"{pair.first} and {pair.second} are linked no longer.")

"""The rules text each market was first read with: every decision rests on it, in this run and the next.

A market that reads differently takes no entries, by the gate and by a halt of its event, which calls
somebody. Resuming that event takes the text as it reads then.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import msgspec

from core.domain.market import Market
from core.domain.text import quoted_difference
from core.engine import incidents
from core.journal.events import Event, Kind
from core.risk.halts import HaltScope, ScopeKind

if TYPE_CHECKING:
    from core.engine.desk import Desk


class RulesPinned(msgspec.Struct, frozen=True):
    """Payload of a ``RULES`` row: from now on this text of its market counts, by its hash."""

    rules: str


def watch(desk: Desk, market: Market, before: str = "") -> None:
    """A market as the venue describes it now; ``before`` is the text it had, where one is known."""
    pinned = desk.pinned_rules.get(market.ticker)
    if pinned is None:
        _pin(desk, market, "engine")
    elif pinned != market.rules_hash:
        told = quoted_difference(before, market.rules) if before else ""
        cause = f"the rules of {market.ticker} read differently ({market.rules_hash[:8]}){told}"
        incidents.end_entries(desk, HaltScope(ScopeKind.EVENT, market.event_ticker), cause)


def accept(desk: Desk, resumed: Collection[HaltScope], by: str) -> None:
    """A person has resumed: in those events the rules count as they read now."""
    for known in desk.state.markets.values():
        market = known.market
        changed = desk.pinned_rules.get(market.ticker) != market.rules_hash
        if changed and HaltScope(ScopeKind.EVENT, market.event_ticker) in resumed:
            _pin(desk, market, by)


def _pin(desk: Desk, market: Market, by: str) -> None:
    desk.pinned_rules[market.ticker] = market.rules_hash
    pinned = RulesPinned(market.rules_hash)
    desk.scribe.log.append(Event(Kind.RULES, pinned, ticker=market.ticker, actor=by))

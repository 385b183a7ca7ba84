"""Conversation about linked pairs: two markets on two venues are the same question, or no longer."""

from __future__ import annotations

from core.control.protocol import PAIR_QUANTITY, LinkMarkets, UnlinkMarkets
from core.domain.units import UnitError, parse_quantity
from tui.operator import Operator
from tui.tables import Now
from tui.talks import Make, instant

_USAGE = "usage: link add|remove MARKET MARKET [opposite] [SIZE]"


def _link(operator: Operator, now: Now, rest: str) -> str | None:
    verb, *words = rest.split()
    if verb not in ("add", "remove") or len(words) < 2:
        return _USAGE
    # Markets may be named by the end of their ticker; the engine tells what it does not know.
    first, second = (operator.view.ticker_of(word) or word for word in words[:2])
    more = words[2:]
    opposite = "opposite" in more
    if opposite:
        more.remove("opposite")
    if verb == "remove":
        if opposite or more:
            return _USAGE
        operator.send(UnlinkMarkets(operator.next_id(), first, second), "link remove", now)
        return None
    if len(more) > 1:
        return _USAGE
    try:
        quantity = parse_quantity(more[0]) if more else PAIR_QUANTITY
    except UnitError as error:
        return f"link add: {error}"
    operator.send(LinkMarkets(operator.next_id(), first, second, quantity, opposite), "link add", now)
    return None


TALKS: dict[str, Make] = {"link": instant(_link)}

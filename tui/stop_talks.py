"""Conversations of the stop: everything at once, and an exit left to wait at a price."""

from __future__ import annotations

from core.control.protocol import RestExit
from core.domain.units import UnitError, parse_cents
from tui.operator import Operator
from tui.talks import Clock, Make, Talk


def _flatten(operator: Operator, clock: Clock, rest: str) -> Talk:
    yield from ()
    now = clock()
    match rest:
        case "" | "external":
            operator.stop(now, now.mono_ns, external=bool(rest))
        case "keep":
            operator.keep(now)
        case _:
            return "usage: flatten [external|keep]"
    return ""


def _exit_at(operator: Operator, clock: Clock, rest: str) -> Talk:
    yield from ()
    name, _, price = rest.rpartition(" ")
    ticker = operator.view.ticker_of(name.strip())
    if ticker is None:
        return f"exit-at: not one market is called {name.strip()[:30]!r}"
    try:
        wanted = parse_cents(price)
    except UnitError as error:
        return f"exit-at: {error}"
    operator.send(RestExit(operator.next_id(), ticker, wanted), "rest an exit", clock())
    return ""


TALKS: dict[str, Make] = {"flatten": _flatten, "exit-at": _exit_at}

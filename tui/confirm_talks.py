"""Conversations about what only a person can know: that rules were read, what a figure is expected to be."""

from __future__ import annotations

from core.control.protocol import ConfirmSource, EnterView
from tui.operator import Operator
from tui.tables import Now
from tui.talks import Make, instant

_USAGE = "usage: confirm source SERIES MARK, as :rules shows them"


def _confirm(operator: Operator, now: Now, rest: str) -> str | None:
    words = rest.split()
    if len(words) != 3 or words[0] != "source":
        return _USAGE
    operator.send(
        ConfirmSource(operator.next_id(), words[1].upper(), words[2]), f"source of {words[1].upper()}", now
    )
    return None


def _view(operator: Operator, now: Now, rest: str) -> str | None:
    kind, released, centre, value, *more = rest.split()
    sd = more.pop(0).removeprefix("+-") if more and more[0].startswith("+-") else ""
    if not more:
        return "usage: view KIND DATE|next consensus|nowcast|own VALUE [+-SD] SOURCE: say where it is from"
    wanted = EnterView(operator.next_id(), kind, released, centre, value, " ".join(more), sd)
    operator.send(wanted, f"view of {kind.upper()}", now)
    return None


TALKS: dict[str, Make] = {"confirm": instant(_confirm), "view": instant(_view)}

"""Conversation about what only a person can know: that the rules of a series were read."""

from __future__ import annotations

from core.control.protocol import ConfirmSource
from tui.operator import Operator
from tui.talks import Make, instant
from tui.view_model import Now

_USAGE = "usage: confirm source SERIES MARK, as :rules shows them"


def _confirm(operator: Operator, now: Now, rest: str) -> str | None:
    words = rest.split()
    if len(words) != 3 or words[0] != "source":
        return _USAGE
    operator.send(
        ConfirmSource(operator.next_id(), words[1].upper(), words[2]), f"source of {words[1].upper()}", now
    )
    return None


TALKS: dict[str, Make] = {"confirm": instant(_confirm)}

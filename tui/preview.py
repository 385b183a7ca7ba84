"""What an order would come to before there is one, by the engine's own figures, told while it is typed."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from core.control.protocol import Query
from tui.format import UNKNOWN, sanitise
from tui.operator import Operator
from tui.tables import Now
from tui.talks import Clock

_STALE_NS = 1_000_000_000
"""A preview this old is asked for again."""


class Preview(msgspec.Struct, frozen=True):
    """See ``PREVIEW`` in ``core/control/queries/cards.py``."""

    cost: Decimal
    fee: Decimal
    max_loss: Decimal
    edge: Decimal | None
    blocked: str


class Previewed:
    """The engine's last word on what was asked about last."""

    def __init__(self, operator: Operator, clock: Clock) -> None:
        self._operator, self._clock = operator, clock
        self._about = ""
        self._asked_ns = 0
        self._told = ""

    def told(self, about: str, *, closes: bool) -> str:
        """What the engine says of it, ``...`` until it has; asked for once a second."""
        now = self._clock()
        if about != self._about:
            self._about, self._told = about, "..."
            self._ask(about, closes, now)
        elif now.mono_ns - self._asked_ns >= _STALE_NS:
            self._ask(about, closes, now)
        return self._told

    def _ask(self, about: str, closes: bool, now: Now) -> None:
        self._asked_ns = now.mono_ns

        def show(answer: bytes) -> None:
            if about == self._about:
                self._told = _words(msgspec.json.decode(answer, type=Preview), closes=closes)

        def refuse(why: str) -> None:
            if about == self._about:
                self._told = why

        query = Query(self._operator.next_id(), "preview", about)
        if not self._operator.look(query, show, refuse):
            self._told = "the engine is away"


def _words(preview: Preview, *, closes: bool) -> str:
    edge = UNKNOWN if preview.edge is None else f"{preview.edge * 100:+.1f}c"
    said = (
        f"{'gets' if closes else 'cost'} {preview.cost:.2f}  fee {preview.fee:.2f}  "
        f"max loss {preview.max_loss:.2f}  net edge {edge}"
    )
    return f"BLOCKED {sanitise(preview.blocked)}  {said}" if preview.blocked else said

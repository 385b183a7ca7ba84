"""The engine as the control server sees it."""

from __future__ import annotations

from collections.abc import Sequence

from core.control.commands import carry_out
from core.control.frames import Reader
from core.control.outside.telling import Outside
from core.control.protocol import AnyCommand, Query, Reply, TellOutside
from core.control.queries.answers import QUERIES, Rows, answer
from core.control.rows.cards import preview_row
from core.control.rows.sources import fixture_rows, source_row
from core.control.rows.system import UNKNOWN, Consoles, Machine, system_row
from core.control.snapshot import Snapshot
from core.control.tables.cards import PreviewRow
from core.domain.units import Price, Quantity
from core.engine.engine import Engine
from core.engine.operator import Actor

UNITS_DIGITS_MAX = 15
OF_A_MARKET = ("rules", "market", "history", "payoff")
"""Queries about one market of the desk."""


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= UNITS_DIGITS_MAX


class Served:
    """One engine behind the control server: commands in, replies and frames out."""

    def __init__(self, engine: Engine, machine: Machine = UNKNOWN, outside: Outside | None = None) -> None:
        self._engine = engine
        self._outside = outside if outside is not None else Outside(engine.desk)
        self._machine = machine
        self._consoles = Consoles(None)
        self._snapshot = Snapshot(engine.desk)

    def command(self, command: AnyCommand, actor: Actor) -> Reply:
        if isinstance(command, Query):
            return self._query(command)
        if isinstance(command, TellOutside):
            outcome = self._outside.test(actor)
            return Reply(command.id, outcome.accepted, outcome.text)
        outcome = carry_out(self._engine, command, actor)
        return Reply(command.id, outcome.accepted, outcome.text)

    def _query(self, command: Query) -> Reply:
        if command.what not in QUERIES:
            return Reply(command.id, accepted=False, text=f"Ask for one of {', '.join(QUERIES)}.")
        rows = self._rows(command.what, command.about)
        if isinstance(rows, str):
            return Reply(command.id, accepted=False, text=rows)
        data = answer(command.what, rows, self._snapshot.now())
        return Reply(command.id, accepted=True, text="", data=data)

    def _rows(self, what: str, about: str) -> Rows | str:
        """What the query reads, or why it cannot be answered."""
        engine = self._engine
        if what in OF_A_MARKET and about not in engine.state.markets:
            return f"{about[:80]!r} is no market of this desk; pmconsole markets lists them."
        if what == "source":
            found = source_row(engine, about)
            if found is None:
                return f"There is no source {about[:40]!r}; pmconsole feeds lists them."
            return Rows(self._snapshot.status(), source=found)
        if what == "games":
            return Rows(self._snapshot.status(), games=fixture_rows(engine))
        if what == "system":
            status = self._snapshot.status()
            row = system_row(engine.desk, status.links, self._machine, self._consoles, self._outside.row())
            return Rows(status, system=row)
        if what == "preview":
            edited = self._preview(about)
            return edited if isinstance(edited, str) else Rows(self._snapshot.status(), preview=edited)
        rows = self._snapshot.query_rows(what, about)
        if what == "batch" and rows.batch is None:
            return f"There is no card of event {about[:80]!r}; pmconsole proposals lists the cards."
        return rows

    def _preview(self, about: str) -> PreviewRow | str:
        """What an edit would make of a card: ``ID FINGERPRINT PRICE QUANTITY`` in units. What a ticket would
        become: ``MARKET SIDE PRICE QUANTITY STYLE``."""
        match about.split():
            case [market, side, price, quantity, style] if _digits(price) and _digits(quantity):
                made = self._engine.draft(market, side, Price(int(price)), Quantity(int(quantity)), style)
                return made if isinstance(made, str) else preview_row(made)
            case [card, mark, price, quantity] if _digits(price) and _digits(quantity):
                found = self._engine.preview(card, mark, Price(int(price)), Quantity(int(quantity)))
                return found if isinstance(found, str) else preview_row(found)
        return "A preview is of a card with its fingerprint or a market, side and style, a price and a size."

    def reader(self) -> Reader:
        return Reader(self._snapshot)

    def controller_attached(self, actor: Actor) -> None:
        self._consoles = self._consoles._replace(controller=actor.pid)
        self._engine.controller_attached(actor)

    def controller_gone(self) -> None:
        self._consoles = self._consoles._replace(controller=None)
        self._engine.controller_gone()

    def viewers(self, pids: Sequence[int]) -> None:
        self._consoles = self._consoles._replace(viewers=pids)
        self._engine.viewers(len(pids))

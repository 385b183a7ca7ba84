"""The engine as the control server sees it."""

from __future__ import annotations

from core.control.commands import carry_out
from core.control.frames import Reader
from core.control.protocol import AnyCommand, Query, Reply
from core.control.queries import ABOUT_ONE, QUERIES, answer
from core.control.snapshot import Snapshot
from core.engine.engine import Engine
from core.engine.operator import Actor


class Served:
    """One engine behind the control server: commands in, replies and frames out."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._snapshot = Snapshot(engine.desk)

    def command(self, command: AnyCommand, actor: Actor) -> Reply:
        if isinstance(command, Query):
            return self._query(command)
        outcome = carry_out(self._engine, command, actor)
        return Reply(command.id, outcome.accepted, outcome.text)

    def _query(self, command: Query) -> Reply:
        if command.what not in QUERIES:
            return Reply(command.id, accepted=False, text=f"Ask for one of {', '.join(QUERIES)}.")
        if command.what in ABOUT_ONE and command.about not in self._engine.state.markets:
            unknown = f"{command.about[:80]!r} is no market of this desk; pmconsole markets lists them."
            return Reply(command.id, accepted=False, text=unknown)
        rows = self._snapshot.query_rows(command.what, command.about)
        data = answer(command.what, rows, self._snapshot.now())
        return Reply(command.id, accepted=True, text="", data=data)

    def reader(self) -> Reader:
        return Reader(self._snapshot)

    def controller_attached(self, actor: Actor) -> None:
        self._engine.controller_attached(actor)

    def controller_gone(self) -> None:
        self._engine.controller_gone()

    def viewers(self, count: int) -> None:
        self._engine.viewers(count)

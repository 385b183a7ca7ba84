"""The engine's pen: every event of the desk goes to the journal through here, with its cause."""

from __future__ import annotations

from core.execution.events import LedgerEvent, OrderIntended
from core.execution.gateway import Denied
from core.execution.proposals import describe
from core.journal.events import Event, Kind
from core.journal.store import EventLog
from core.strategy.proposal import Candidate

CAUSES_MAX = 1_000


class Scribe:
    """Writes rows and remembers what caused what: approval -> intent -> everything of the order."""

    def __init__(self, log: EventLog) -> None:
        self.log = log
        self._intents: dict[str, int] = {}
        self._decisions: dict[str, int] = {}

    def ledger(self, event: LedgerEvent, *, client_order_id: str, ticker: str) -> int:
        """A row of an order, a fill or a settlement; its kind is the struct's tag."""
        if isinstance(event, OrderIntended):
            cause = self._decisions.get(event.intent.proposal_id)
        else:
            cause = self._intents.get(client_order_id)
        kind = Kind(str(event.__struct_config__.tag))
        seq = self.log.append(Event(kind, event, client_order_id, ticker, cause))
        if isinstance(event, OrderIntended):
            _remember(self._intents, client_order_id, seq)
        return seq

    def desk(
        self, kind: Kind, text: str, *, actor: str = "engine", ticker: str = "", **values: object
    ) -> int:
        """A row of the desk itself; ``text`` is its sentence for the screen."""
        return self.log.append(Event(kind, {"text": text, **values}, "", ticker, None, actor))

    def card(
        self, kind: Kind, text: str, proposal_id: str, *, actor: str = "engine", ticker: str, **values: object
    ) -> int:
        """A row of a card. The latest one is the cause of the order it leads to."""
        payload = {"text": text, "proposal_id": proposal_id, **values}
        seq = self.log.append(Event(kind, payload, "", ticker, self._decisions.get(proposal_id), actor))
        _remember(self._decisions, proposal_id, seq)
        return seq

    def denied_exit(self, wanted: Candidate, denied: Denied, *, actor: str = "engine") -> int:
        """A row of an exit without a card that was not sent, with its reason and what the gate judged by."""
        text = f"{describe(wanted)} was not sent: {denied.reason}"
        return self.desk(Kind.DENIED, text, actor=actor, ticker=wanted.ticker, gate=denied.gate)


def _remember(rows: dict[str, int], key: str, seq: int) -> None:
    rows.pop(key, None)
    rows[key] = seq
    if len(rows) > CAUSES_MAX:
        del rows[next(iter(rows))]

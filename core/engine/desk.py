"""The parts of one desk, wired once by the engine and read by the functions around them."""

from __future__ import annotations

from dataclasses import dataclass

from core.config.settings import Settings
from core.domain.clock import Clocks
from core.domain.position import Position
from core.domain.units import Money
from core.engine.account import Account
from core.engine.alarms import Alarms
from core.engine.audit import Audit
from core.engine.fixtures import Fixtures
from core.engine.forecasts import Forecasts
from core.engine.halting import Halting
from core.engine.health import Health
from core.engine.history import History
from core.engine.presence import Supervision
from core.engine.pricing import Pricing
from core.engine.record import Scribe
from core.engine.releases import Releases
from core.engine.seat import Seat
from core.engine.seats import Seats
from core.engine.sources import Sources
from core.engine.state import DeskState
from core.engine.trips import Trips
from core.engine.vetoes import Vetoes
from core.engine.watched import Watched
from core.execution.approvals import Approvals
from core.execution.ledger import Ledger
from core.execution.stop import Stop
from core.execution.tasks import Tasks
from core.risk.exposure import Exposure
from core.strategy.rules import EntryRules


@dataclass(slots=True)
class Desk:
    """Who is who. Nothing here is replaced after start-up."""

    clocks: Clocks
    settings: Settings
    rules: EntryRules
    state: DeskState
    scribe: Scribe
    alarms: Alarms
    ledger: Ledger
    seats: Seats
    exposure: Exposure
    account: Account
    trips: Trips
    supervision: Supervision
    health: Health
    history: History
    pricing: Pricing
    forecasts: Forecasts
    releases: Releases
    fixtures: Fixtures
    sources: Sources
    audit: Audit
    approvals: Approvals
    vetoes: Vetoes
    watched: Watched
    stop: Stop
    halting: Halting
    tasks: Tasks
    pinned_rules: dict[str, str]
    """Hash of the rules text that counts, by ticker: as first read, or as accepted by a person since."""

    def seat(self, ticker: str) -> Seat:
        """The seat of a market of the desk or of the ledger; raises ``KeyError`` for any other."""
        return self.seats.of(ticker)

    def expose(self, ticker: str) -> Money:
        """Count a market's worst case anew, by what is held and on order there now; returns it.

        The account's markets count, whether they are on the desk or not.
        """
        held = self.ledger.positions.get(ticker, Position())
        live, outside = self.ledger.live_in(ticker), self.ledger.externals_in(ticker)
        or_else = self.ledger.if_undone(ticker)
        if ticker not in self.state.markets:
            if not (held.net or or_else.net or live or outside):
                self.exposure.forget(ticker)
                return Money(0)
            self.exposure.admit(ticker, self.ledger.venues[ticker])
        self.exposure.update(ticker, held, live, outside, or_else)
        return self.exposure.now(ticker).market

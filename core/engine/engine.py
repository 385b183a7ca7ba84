"""The desk's engine: feeds to fair values to proposals to orders, under one gate and one halt.

``Engine`` wires the rooms below together and is what the control server talks to. Every method an
operator can reach is synchronous and answers at once with an ``Outcome``; what must wait (durable
rows, wire calls) runs in tasks the engine owns. The engine knows no terminal, socket or file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from core.domain.clock import Clocks
from core.domain.units import Price, Quantity
from core.engine.operator import Actor, Outcome, refused
from core.engine.state import DeskState
from core.feeds.feed import Feed
from core.feeds.values import Sink
from core.venues.venue import VenueGateway, VenueListener


class Rng(Protocol):
    """The part of ``random.Random`` the engine uses, injected."""

    def random(self) -> float: ...

    def getrandbits(self, k: int, /) -> int: ...


@dataclass(frozen=True, slots=True)
class Ports:
    """What differs between a real desk and a simulated one."""

    clocks: Clocks
    rng: Rng
    venue: Callable[[VenueListener], VenueGateway]
    feeds: Callable[[Sink], Sequence[Feed]]
    profile: str
    world_id: str
    replay: str = ""
    """Original dates of a replayed scenario, for the screen."""


class Engine:
    """One desk. ``await run()`` until it is stopped; operator methods may be called once it runs."""

    def __init__(self, ports: Ports) -> None:
        self.ports = ports
        self.state = DeskState(profile=ports.profile, world_id=ports.world_id)

    async def run(self) -> None:
        """Start up, trade, and return after an orderly stop (cancels confirmed or 20 s passed)."""

    # --- proposals: the fingerprint is the one the operator saw --------------------------------

    def approve(self, proposal_id: str, fingerprint: str, shown_ns: int, actor: Actor) -> Outcome:
        """Release a card. ``shown_ns``: when the newest frame seen was made, 0 from the CLI."""
        return refused("not ready")

    def veto(self, proposal_id: str, fingerprint: str, reason: str, actor: Actor) -> Outcome:
        return refused("not ready")

    def defer(self, proposal_id: str, fingerprint: str, actor: Actor) -> Outcome:
        return refused("not ready")

    def edit(
        self, proposal_id: str, fingerprint: str, price: Price, quantity: Quantity, actor: Actor
    ) -> Outcome:
        """Smaller or better only; ``price`` in terms of the outcome named on the card."""
        return refused("not ready")

    # --- orders --------------------------------------------------------------------------------

    def cancel_order(self, client_order_id: str, actor: Actor) -> Outcome:
        """Also takes an unambiguous beginning or the end shown on screen."""
        return refused("not ready")

    def cancel_market(self, ticker: str, actor: Actor) -> Outcome:
        return refused("not ready")

    # --- autonomy ------------------------------------------------------------------------------

    def pause(self, strategy: str, actor: Actor) -> Outcome:
        """Stop entries of one strategy, or of all with an empty name."""
        return refused("not ready")

    def unpause(self, strategy: str, confirm: str, actor: Actor) -> Outcome:
        return refused("not ready")

    def set_mode(self, mode: str, confirm: str, reason: str, actor: Actor) -> Outcome:
        """``semi`` at once, ``auto`` with the typed word ``automatic``."""
        return refused("not ready")

    def halt(self, reason: str, actor: Actor) -> Outcome:
        return refused("not ready")

    def resume(self, confirm: str, reason: str, actor: Actor) -> Outcome:
        return refused("not ready")

    def flatten(self, actor: Actor, *, now: bool = False, sent_ns: int = 0) -> Outcome:
        """Halt and send every cancel in this loop step; joins a running flatten."""
        return refused("not ready")

    def abort_flatten(self, actor: Actor) -> Outcome:
        return refused("not ready")

    def skip_wait(self, actor: Actor) -> Outcome:
        return refused("not ready")

    def set_limit(self, name: str, value: str, confirm: str, reason: str, actor: Actor) -> Outcome:
        return refused("not ready")

    def acknowledge(self, alarm_id: int, actor: Actor) -> Outcome:
        return refused("not ready")

    def stop(self, reason: str, actor: Actor) -> Outcome:
        return refused("not ready")

    # --- presence ------------------------------------------------------------------------------

    def controller_attached(self, actor: Actor) -> None:
        """This console now holds control (again after ``--take``)."""

    def controller_gone(self) -> None:
        """No console holds control any more."""

    def viewers(self, count: int) -> None:
        """How many consoles are attached without control."""

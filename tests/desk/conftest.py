"""Desks of real processes; ``busy`` shows cards at once and nobody trades with what rests there, and nothing
else moves unless it is ``moving``."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.desk import rig
from tests.desk.rig import SLOW, Desk
from tests.desk.terminal import Terminal, wait_for

CALM = "tests.desk.calm_sim"
SERIES = '[markets]\nseries = ["KXHIGHNY", "KXHIGHCHI"]\n'
MOVING = '[markets]\nseries = ["KXHIGHNY", "KXHIGHCHI", "KXLOAD"]\n'


@pytest.fixture
def home() -> Iterator[Desk]:
    """Nothing runs yet."""
    with rig.home() as made:
        yield made


@pytest.fixture
def busy() -> Iterator[Desk]:
    """Simulator and engine run, cards stand, no console."""
    with rig.desk("busy", speed=SLOW, config=SERIES, sim_module=CALM) as made:
        yield made


@pytest.fixture
def moving() -> Iterator[Desk]:
    """The same with forty markets that change ten times a second."""
    with rig.desk("busy", speed=SLOW, config=MOVING) as made:
        yield made


@pytest.fixture
def opened() -> Iterator[Callable[[Terminal], Terminal]]:
    """Closes at the end what it was handed."""
    terminals: list[Terminal] = []

    def keep(terminal: Terminal) -> Terminal:
        terminals.append(terminal)
        return terminal

    yield keep
    for terminal in terminals:
        terminal.close()


@pytest.fixture
def card() -> Callable[[Desk], str]:
    """Waits for a card of Kalshi that can be approved; its id with the fingerprint."""

    def first(desk: Desk) -> str:
        def found() -> str:
            return desk.card()

        return str(wait_for("card", 15, found, poll_s=0.1))

    return first


@pytest.fixture
def resting() -> Callable[[Desk], str]:
    """Approves a card from the command line and waits until the venue has the order; our id of it."""

    def placed(desk: Desk) -> str:
        done = desk.approve()
        assert done.code == 0, done.err
        order = wait_for("resting order", 5, lambda: desk.venue.orders(status="resting"), poll_s=0.1)[0]
        return str(order["client_order_id"])

    return placed

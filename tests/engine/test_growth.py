"""What a day of trading leaves behind in the engine: orders and fills, which are facts, and nothing else."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Iterator
from typing import Any

import msgspec

from core.engine import incidents
from core.engine.desk import Desk
from core.engine.record import CAUSES_MAX
from core.execution.changes import KEYS_MAX
from core.execution.gateway import Wish
from core.execution.movement import Movement
from core.risk.limits import DEFAULTS
from tests.execution.bench import HOT, TRADER, Bench, only, running
from tests.virtual import VirtualLoop, run_virtual

FACTS = frozenset(
    {
        *("Ledger.orders", "Ledger.rows", "Ledger.by_order_id", "Ledger.of_proposal"),
        *("Ledger.fills", "Ledger.fills_of", "MemoryJournal.rows"),
    }
)
"""Kept for the life of the journal: a fill may come long after its order is over."""
BOUNDED = {"Scribe._intents": CAUSES_MAX, "Scribe._decisions": CAUSES_MAX, "Changes._at": KEYS_MAX}
BY_TIME = frozenset({"Account._sent", "_Lately._added"})
"""An hour's and five minutes': their own tests let the time pass."""
LOSSES = ("market_loss_max", "event_loss_max", "venue_loss_max", "total_loss_max")
WIDE = msgspec.structs.replace(DEFAULTS, **dict.fromkeys(LOSSES, 10**12))
WARM_UP, MORE, SPARE = 400, 1_600, 20


def sizes(desk: Desk) -> Counter[str]:
    """Entries of every table, list, set and queue the desk can reach, by class and attribute."""
    found: Counter[str] = Counter()
    seen: set[int] = set()
    queue: deque[tuple[str, Any]] = deque([("Desk", desk)])
    while queue:
        name, value = queue.popleft()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, dict | list | set | deque):
            found[name] += len(value) if getattr(value, "maxlen", None) is None else 0
            if name not in FACTS:
                inner = value.values() if isinstance(value, dict) else value
                queue.extend((f"{name}[]", item) for item in inner)
        elif type(value).__module__.startswith("core."):
            queue.extend((f"{type(value).__name__}.{key}", item) for key, item in attributes(value))
    return found


def attributes(value: Any) -> Iterator[tuple[str, Any]]:
    names = [*getattr(value, "__dict__", ()), *getattr(value, "__struct_fields__", ())]
    for kind in type(value).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        names += [slots] if isinstance(slots, str) else slots
    return ((name, getattr(value, name)) for name in dict.fromkeys(names) if hasattr(value, name))


async def trade(bench: Bench, count: int) -> None:
    """Orders that fill, in turn opening and closing, and orders that are cancelled."""
    desk = bench.engine.desk
    card = desk.approvals.of(HOT)
    assert card is not None
    for number in range(count):
        order = only(desk).gateway.send(Wish(card.candidate, proposal_id=f"P{number}"))
        assert not isinstance(order, str)
        client = next(reversed(desk.ledger.orders))
        await asyncio.sleep(0.05)
        if number % 2:
            bench.venue.trade(desk.ledger.orders[client].order_id, 1)
        only(desk).gateway.cancel([client], "test")
        await asyncio.sleep(0.05)


def test_thousands_of_orders_leave_nothing_but_their_facts() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, ceilings=WIDE) as bench:
            desk = bench.engine.desk
            await bench.card()
            bench.engine.pause("", TRADER)
            only(desk).gateway._gate = lambda wish, without: "judged elsewhere"
            await trade(bench, WARM_UP)
            before = sizes(desk)
            await trade(bench, MORE)
            after = sizes(desk)
            assert len(desk.ledger.orders) >= WARM_UP + MORE and not desk.ledger.live
            assert after["Ledger.orders"] - before["Ledger.orders"] == MORE, "the walk finds them"
            assert all(after[name] <= most for name, most in BOUNDED.items())
            allowed = FACTS | BY_TIME | BOUNDED.keys()
            grown = {
                name: (before[name], size)
                for name, size in after.items()
                if size - before[name] > SPARE and name.rstrip("[]") not in allowed
            }
            assert not grown and not bench.engine.state.halts.standing

    run_virtual(main)


def test_waiting_in_vain_leaves_nothing() -> None:
    async def main(loop: VirtualLoop) -> None:
        movement = Movement()
        for _ in range(50):
            assert not await movement.until(lambda: False, timeout_s=0.1)
        assert not movement._waiters

    run_virtual(main)


def test_the_guard_forgets_the_worst_case_of_what_is_closed() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            guard = bench.engine._ears.posttrade
            await bench.held(20)
            await asyncio.sleep(2)
            assert incidents.market(HOT) in guard._used
            bench.engine.flatten(TRADER, now=True)
            await bench.until(lambda: not bench.engine.desk.ledger.held, "flat", 60)
            await asyncio.sleep(2)
            assert not guard._used

    run_virtual(main)

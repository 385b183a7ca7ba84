"""The stop ladder where the venue lags, contradicts or never answers: it ends, and it says the truth."""

from __future__ import annotations

import asyncio

import pytest

from core.domain.market import Venue
from core.domain.units import Quantity
from core.execution.ladder import Ladder, Phase
from core.execution.stop import joint
from core.risk.halts import Level
from core.venues.venue import Incomplete, PositionReport
from tests.execution.bench import HOT, TRADER, Bench, running
from tests.virtual import VirtualLoop, run_virtual


async def over(bench: Bench, seconds: float = 60) -> None:
    ladder = bench.engine.desk.stop.ladder
    assert ladder is not None
    await bench.until(lambda: ladder.over, "end of the ladder", seconds)


def lagging(bench: Bench, seconds: float, shown: dict[str, int], since: float) -> None:
    """The list of positions shows ``shown`` until ``seconds`` after ``since``."""
    truth = bench.venue.positions

    async def positions() -> tuple[PositionReport, ...] | Incomplete:
        if asyncio.get_running_loop().time() - since < seconds:
            return tuple(PositionReport(t, Quantity(n)) for t, n in shown.items())
        return await truth()

    bench.venue.positions = positions  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("contracts", "words"), [(0, "sells 0 positions"), (20, "sells 1 position worth 7.60.")]
)
def test_the_scope_is_said_before_it_happens(contracts: int, words: str) -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.sent()
            if contracts:
                bench.venue.trade(bench.venue.only().order_id, contracts)
                await bench.until(lambda: bench.engine.desk.ledger.net(HOT) > 0, "fill")
            told = bench.engine.flatten(TRADER).text
            assert "cancels 1 order," in told and words in told

    run_virtual(main)


def test_a_position_the_list_does_not_show_yet_is_sold_when_it_does() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(20)
            lagging(bench, 12.0, {}, loop.time())
            bench.engine.flatten(TRADER, now=True)
            await asyncio.sleep(8)
            assert not bench.venue.exits_seen, "nothing is sold that the venue does not show"
            await over(bench)
            ladder = bench.engine.desk.stop.ladder
            assert ladder is not None and ladder.phase is Phase.FLAT
            assert bench.venue.net[HOT] == 0 and not bench.venue.crossed_zero

    run_virtual(main)


def test_a_list_that_still_shows_what_was_sold_is_read_again() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(20)
            lagging(bench, 15.0, {HOT: 20_000_000}, loop.time())
            bench.engine.flatten(TRADER, now=True)
            await over(bench)
            ladder = bench.engine.desk.stop.ladder
            assert ladder is not None and ladder.phase is Phase.FLAT
            assert sum(exit_.quantity for exit_ in bench.venue.exits_seen) == 20_000_000

    run_virtual(main)


def test_a_position_only_the_venue_has_is_named() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            bench.venue.net[HOT] = 3_000_000
            bench.engine.flatten(TRADER, now=True)
            await over(bench)
            ladder = bench.engine.desk.stop.ladder
            assert ladder is not None and ladder.phase is Phase.UNFLATTENED
            assert "3 contracts held" in ladder.receipt
            assert not bench.venue.exits_seen

    run_virtual(main)


def test_an_exit_nobody_can_resolve_ends_the_ladder_with_its_name() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(20)
            bench.engine.flatten(TRADER, now=True)
            bench.venue.faults.lose_answers = 1
            bench.venue.faults.silent_fills = True
            await bench.until(lambda: bool(bench.venue.exits_seen), "exit")
            bench.venue.faults.broken_reads = True
            await over(bench, 200)
            ladder = bench.engine.desk.stop.ladder
            assert ladder is not None and ladder.phase is Phase.UNFLATTENED
            assert "without proof" in ladder.receipt
            assert len(bench.venue.exits_seen) == 1, "nothing is sent beside it"

    run_virtual(main)


def test_cash_and_positions_are_read_when_the_ladder_has_ended() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(20)
            bench.engine.flatten(TRADER, now=True)
            await over(bench)
            ended = bench.clock.mono_ns()
            bench.venue.cash_now += 1
            await bench.until(lambda: bench.engine.desk.seats.cash == bench.venue.cash_now, "cash", 1.0)
            read_ns = bench.engine.desk.seats.read_ns
            assert read_ns is not None and read_ns > ended

    run_virtual(main)


def test_a_stop_sells_although_the_venue_was_locked_for_its_key() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(20)
            bench.venue.listener.on_credential("the venue does not accept the key: HTTP 401")
            bench.engine.flatten(TRADER, now=True)
            await over(bench, 150)
            ladder = bench.engine.desk.stop.ladder
            assert ladder is not None and ladder.phase is Phase.FLAT, ladder.residue
            assert any(halt.level is Level.LOCKED for halt in bench.engine.state.halts.standing)

    run_virtual(main)


@pytest.mark.parametrize(
    ("phase", "residue", "said"),
    [
        (Phase.FLAT, {}, "FLAT, confirmed twice, cost 0.33 against mid: 30 contracts sold in 1 exit"),
        (Phase.UNFLATTENED, {"T": "nobody bids"}, "NOT FLAT, T left, cost 0.33 against mid: 30"),
        (Phase.UNFLATTENED, {"U": "", "T": "", "V": ""}, "NOT FLAT, T and 2 more left, cost 0.33"),
        (Phase.UNFLATTENED, {"T": "", "KAL venue": ""}, "NOT FLAT, not all could be read, cost 0.33"),
        (Phase.UNFLATTENED, {}, "NOT FLAT, cost 0.33 against mid"),
    ],
)
def test_the_sum_of_a_stop_says_what_is_left_only_as_far_as_it_is_known(
    phase: Phase, residue: dict[str, str], said: str
) -> None:
    ladder = Ladder(0, 0, "x", (), 1, sold=30_000_000, cost=330_007, exits_filled=1, residue=residue)
    assert ladder.summed(phase).startswith(said)


def test_two_venues_say_once_what_is_left() -> None:
    kept = Ladder(0, 0, "x", (), 1, phase=Phase.UNFLATTENED, residue={"T": "nobody bids"}, cost=950_000)
    kept.receipt = f"{kept.summed(Phase.UNFLATTENED)}. T: nobody bids. 0 of 0 orders ended"
    sold = Ladder(0, 0, "x", (), 1, phase=Phase.FLAT)
    sold.receipt = sold.summed(Phase.FLAT)
    whole = joint({Venue.KALSHI: kept, Venue.POLYMARKET: sold})
    assert whole is not None
    left = "NOT FLAT, T left, cost 0.95 against mid: 0 contracts sold in 0 exits. KAL T: nobody bids. 0 of 0"
    assert whole.receipt.startswith(left) and ". POLY FLAT, confirmed twice" in whole.receipt
    kept.phase, kept.cost, kept.residue = Phase.FLAT, 0, {}
    for idle in (kept, sold):
        idle.receipt = f"{idle.summed(Phase.FLAT)}. 1 of 1 orders ended"
    both = joint({Venue.KALSHI: kept, Venue.POLYMARKET: sold})
    none = "FLAT, confirmed twice, cost 0.00 against mid: 0 contracts sold in 0 exits"
    assert both is not None
    assert both.receipt == f"{none}. KAL 1 of 1 orders ended. POLY 1 of 1 orders ended"
    kept.phase = Phase.UNFLATTENED
    kept.receipt = "NOT FLAT: the ladder broke: the system refused (gone)"
    broke = joint({Venue.KALSHI: kept, Venue.POLYMARKET: sold})
    assert broke is not None and "KAL NOT FLAT: the ladder broke" in broke.receipt

"""What the engine keeps of the past for charts: when it takes a point, and that it stays small."""

from __future__ import annotations

import asyncio

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from core.control.protocol import Query
from core.control.served import Served
from core.domain.order import BookSide
from core.domain.units import Price, Quantity
from core.engine.history import EVERY_NS, LOOKS, POINTS_MAX, Track
from core.engine.state import TAPE_MAX
from core.venues.venue import Print
from tests.execution.bench import CLI, HOT, WARM, Bench, running
from tests.virtual import VirtualLoop, run_virtual


def points_of(bench: Bench, ticker: str = HOT) -> list[tuple[int, tuple[int | None, ...]]]:
    return list(bench.engine.state.markets[ticker].track.points())


@given(st.lists(st.integers(0, 5), min_size=1, max_size=400), st.integers(2, 40))
def test_a_track_never_outgrows_its_bound_and_ends_with_what_is_so(seen: list[int], most: int) -> None:
    track = Track(1)
    taken: list[tuple[int, int]] = []
    for second, value in enumerate(seen):
        if track.due(second * EVERY_NS):
            track.note(second * EVERY_NS, second * 1_000, (value,), most)
            taken.append((second * 1_000, value))
        assert len(track) <= most
    found = [(at, value) for at, (value,) in track.points()]
    assert found == sorted(found, key=lambda point: point[0])
    assert set(found) <= set(taken) and found[-1][1] == taken[-1][1]
    if len(taken) < most:
        assert found == [
            point
            for point, before in zip(taken, [None, *taken], strict=False)
            if not before or before[1] != point[1]
        ]


def test_a_full_track_grows_coarser_and_still_reaches_back() -> None:
    track = Track(2)
    for second in range(100_000):
        if track.due(second * 1_000_000_000):
            track.note(second * 1_000_000_000, second * 1_000, (second, None), POINTS_MAX)
    times = [at for at, _ in track.points()]
    assert POINTS_MAX // 2 <= len(track) <= POINTS_MAX
    assert times[0] < 1_000_000 and times[-1] > 99_000_000
    assert all(figures == (at // 1_000, None) for at, figures in track.points())


def test_world_time_set_back_begins_anew() -> None:
    track = Track(1)
    track.note(0, 5_000, (1,), 10)
    track.note(EVERY_NS, 4_000, (2,), 10)
    assert list(track.points()) == [(4_000, (2,))]


def test_what_changed_is_taken_down_and_what_did_not_is_not() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await asyncio.sleep(5)
            before = len(points_of(bench, WARM))
            for cents in (30, 31, 32):
                bench.venue.quote(HOT, cents, cents + 3)
                await asyncio.sleep(3)
            bids = [figures[0] for _, figures in points_of(bench)]
            assert bids[-3:] == [3_000, 3_100, 3_200]
            assert len(points_of(bench, WARM)) == before, "nothing happened there"
            fair = bench.engine.state.markets[HOT].fair
            assert fair is not None and points_of(bench)[-1][1][2] == round(fair.probability * 1_000) * 10
            bench.venue.books[HOT].intact = False
            bench.venue.listener.on_book(HOT)
            await asyncio.sleep(3)
            assert points_of(bench)[-1][1][:2] == (None, None), "a broken book has no prices"

    run_virtual(main)


def test_a_burst_is_one_point_and_its_end_is_not_lost() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await asyncio.sleep(5)
            before = len(points_of(bench))
            for step in range(40):
                bench.venue.quote(HOT, 20 + step % 10, 40)
                await asyncio.sleep(0.01)
            bench.venue.quote(HOT, 33, 40)
            await asyncio.sleep(5)
            found = points_of(bench)
            assert len(found) <= before + 2 and found[-1][1][0] == 3_300

    run_virtual(main)


def test_a_crowd_of_changes_is_looked_at_in_portions() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            history, state = bench.engine.desk.history, bench.engine.state
            for number in range(2 * LOOKS):
                state.changed_markets.touch(f"GONE-{number}")
            history.tick()
            assert LOOKS <= len(history._waiting) < 2 * LOOKS
            history.tick()
            history.tick()
            assert not [ticker for ticker in history._waiting if ticker.startswith("GONE")]

    run_virtual(main)


def test_a_market_is_told_with_its_levels_its_tape_and_what_settles_it() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            bench.venue.quote(HOT, 31, 34)
            for number in range(TAPE_MAX + 5):
                quantity = Quantity((number + 1) * 1_000_000)
                seen = Print(HOT, Price(3_400), quantity, BookSide.BID, bench.clock.wall_ms())
                bench.venue.listener.on_print(seen)
            bench.venue.listener.on_print(Print("KX-NONE", Price(1), Quantity(1), BookSide.ASK, 0))
            told = msgspec.json.decode(Served(bench.engine).command(Query("1", "market", HOT), CLI).data)
            assert (told["bids"][0]["price"], told["asks"][0]["price"]) == ("0.3100", "0.3400")
            assert len(told["trades"]) == TAPE_MAX
            assert told["trades"][0] | {"time": ""} == {
                "time": "", "price": "0.3400", "quantity": f"{TAPE_MAX + 5}.00", "buys": True,
            }  # fmt: skip
            assert "NWS climate day 2026-11-23" in told["settles"] and told["intact"]

    run_virtual(main)


def test_a_history_ends_with_now_and_has_our_fills() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(5)
            await asyncio.sleep(4)
            bench.venue.quote(HOT, 20, 21)
            told = msgspec.json.decode(Served(bench.engine).command(Query("1", "history", HOT), CLI).data)
            (fill,) = told["fills"]
            assert (fill["quantity"], fill["buys"]) == ("5.00", True)
            assert (told["points"][-1]["bid"], told["points"][-1]["ask"]) == ("0.2000", "0.2100")
            assert told["points"][-2]["bid"] != "0.2000"

    run_virtual(main)


def test_the_days_result_is_kept_from_the_days_beginning() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(20)
            await asyncio.sleep(4)
            bench.venue.quote(HOT, 20, 21)
            await asyncio.sleep(4)
            desk = bench.engine.desk
            told = msgspec.json.decode(Served(bench.engine).command(Query("1", "equity", ""), CLI).data)
            made = [float(point["made"]) for point in told["points"]]
            assert told["day"] == desk.account.day and made[-1] == (desk.state.today_pnl or 0) / 1e6
            assert made[-1] < max(made), "it fell with the book"
            desk.account.day = "2026-11-24"
            desk.history.tick()
            assert len(desk.history.result) == 1, "a new day has a curve of its own"

    run_virtual(main)

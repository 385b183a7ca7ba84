"""A reader that only ever saw changes knows what a newcomer is shown: on a live desk, in virtual time."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import msgspec

from core.control import frames as frames_module
from core.control.frames import Reader
from core.control.protocol import FRAME_BYTES_MAX, Frame, Query
from core.control.queries.answers import QUERIES
from core.control.rows.models import event_row
from core.control.served import Served
from core.control.snapshot import Snapshot
from core.control.tables.cards import ProposalRow
from core.domain.market import MarketStatus
from core.domain.units import Price
from core.execution.proposals import ProposalState
from core.venues.venue import LinkState
from tests.engine.test_pairs import SLUG, link, other, told, twin, two_venues
from tests.execution.bench import CLI, EVENT, HOT, TRADER, VIEWER, WARM, Bench, running
from tests.virtual import VirtualLoop, run_virtual

KEYS = {
    "statics": "key",
    "markets": "key",
    "events": "event",
    "proposals": "id",
    "orders": "client_order_id",
    "positions": "key",
    "alarms": "id",
    "journal": "seq",
}


class Merged:
    """What a console knows after the frames it was sent."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[Any, Any]] = {name: {} for name in (*KEYS, "limits", "pairs")}
        self.status: Any = None
        self.flatten: Any = None
        self.last_seq = 0
        self.frames = 0

    def take(self, frames: Any) -> None:
        for frame in frames:
            assert isinstance(frame, Frame)
            assert frame.seq == self.last_seq + 1
            assert len(msgspec.msgpack.encode(frame)) <= FRAME_BYTES_MAX
            self.last_seq = frame.seq
            self.frames += 1
            if frame.full and frame.part == 0:
                for table in self.tables.values():
                    table.clear()
            for name, key in KEYS.items():
                self.tables[name].update((getattr(row, key), row) for row in getattr(frame, name))
                for gone in getattr(frame, f"gone_{name}", ()):
                    self.tables[name].pop(gone, None)
            self.tables["limits"].update(((row.name, row.scope), row) for row in frame.limits)
            for gone in frame.gone_limits:
                del self.tables["limits"][gone]
            self.tables["pairs"].update(((row.first, row.second), row) for row in frame.pairs)
            for gone in frame.gone_pairs:
                del self.tables["pairs"][gone]
            self.status = frame.status or self.status
            self.flatten = frame.flatten or self.flatten

    def comparable(self) -> dict[str, Any]:
        """Everything but the direction marks, which are the reader's own memory."""
        plain = {
            name: {key: msgspec.structs.asdict(row) for key, row in table.items()}
            for name, table in self.tables.items()
        }
        for row in plain["markets"].values():
            del row["moved"]
        return {**plain, "status": self.status, "flatten": self.flatten}


class Watch:
    """A console attached since the start, and how to compare it with one that attaches now."""

    def __init__(self, bench: Bench) -> None:
        self.snapshot = Snapshot(bench.engine.desk)
        self.reader = Reader(self.snapshot)
        self.seen = Merged()
        self.seen.take(self.reader.full())

    async def agrees(self) -> None:
        await asyncio.sleep(2.5)  # event rows follow moving books every two seconds
        self.seen.take(self.reader.changes())
        self.seen.take(self.reader.changes())
        newcomer = Merged()
        newcomer.take(Reader(self.snapshot).full())
        mine, theirs = self.seen.comparable(), newcomer.comparable()
        for name in mine:
            assert mine[name] == theirs[name], name

    def table(self, name: str) -> dict[Any, Any]:
        self.seen.take(self.reader.changes())
        return self.seen.tables[name]


def test_through_a_whole_day_changes_add_up_to_the_snapshot() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            watch = Watch(bench)
            card = await bench.card()
            row: ProposalRow = watch.table("proposals")[card.id]
            assert (row.fingerprint, row.state, row.outcome) == (card.fingerprint, "OPEN", "YES")
            assert row.position == 0 and row.position_after == row.quantity == card.candidate.quantity
            assert [used.name for used in row.used] == ["mkt", "event", "venue", "total"]
            assert all(used.adds == row.max_loss for used in row.used)
            await watch.agrees()

            order = await bench.sent()
            sent = watch.table("proposals")[card.id]
            assert sent.state == "SENT" and all(used.adds == 0 for used in sent.used)
            shown = watch.table("orders")[order.intent.client_order_id]
            assert shown.state == "WORKING" and shown.leaves == order.intent.quantity
            await watch.agrees()
            bench.venue.trade(order.order_id, 3)
            await bench.until(lambda: bench.engine.desk.ledger.net(HOT) == 3_000_000, "fill")
            key = bench.engine.state.markets[HOT].key
            assert watch.table("positions")[key].net == 3_000_000
            part_filled = watch.table("proposals")[card.id]
            assert (part_filled.position, part_filled.position_after) == (3_000_000, order.intent.quantity)
            left = (order.intent.quantity - 3_000_000) // 1_000_000
            assert watch.table("markets")[key].mark == f"{left}b{order.intent.price // 100}"
            await watch.agrees()

            limits = watch.table("limits")
            health = ("loop_lag_ms_max", "sync_ms_max", "memory_mb_max")
            assert all(limits[name, ""].used is None for name in health), "they would redraw a quiet desk"
            told = {row.name: row for row in Snapshot(bench.engine.desk).limits()}
            assert told["memory_mb_max"].used == 200 and told["drawdown_max"].used == 0
            assert told["open_orders_market_max"].used == told["rate_hour_max"].used == 1
            assert told["loss_row_max"].used == told["rejects_max"].used == 0

            bench.engine.set_limit("total_loss_max", "300", "", "", TRADER)
            assert watch.table("limits")["total_loss_max", ""].limit == 300_000_000
            bench.engine.halt("lunch", TRADER)
            await watch.agrees()
            assert watch.seen.status.level == "HALTED"
            bench.engine.flatten(TRADER, now=True)
            await bench.until(lambda: bench.engine.desk.stop.ladder.over, "flat", 60)  # type: ignore[union-attr]
            await watch.agrees()
            assert watch.seen.flatten.phase == "FLAT"
            assert watch.table("positions") == {}

    run_virtual(main)


def test_a_card_that_ends_is_shown_with_its_end_and_then_goes() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            watch = Watch(bench)
            card = await bench.card()
            bench.engine.veto(card.id, card.fingerprint, "price", TRADER)
            assert watch.table("proposals")[card.id].state == ProposalState.VETOED.value
            await asyncio.sleep(6)
            assert card.id not in watch.table("proposals")
            await watch.agrees()

    run_virtual(main)


def test_a_quiet_desk_sends_its_heartbeat_and_nothing_else() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            watch = Watch(bench)
            bench.quiet()
            await watch.agrees()
            await asyncio.sleep(30)
            watch.seen.take(watch.reader.changes())
            sizes = []
            for _ in range(100):
                await asyncio.sleep(0.1)
                sizes += [len(msgspec.msgpack.encode(frame)) for frame in watch.reader.changes()]
            # Ten seconds: what ages by itself is computed by whoever draws it.
            assert sum(sizes) < 20_000
            assert len(msgspec.msgpack.encode(watch.reader.empty())) < 60

    run_virtual(main)


def test_a_price_that_moves_leaves_its_direction_behind() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            watch = Watch(bench)
            key = bench.engine.state.markets[WARM].key
            bench.venue.quote(WARM, 20, 30)
            await asyncio.sleep(0.1)
            watch.table("markets")
            for bid, ask, moved in ((21, 30, (1, None)), (21, 28, (1, -1)), (20, 29, (-1, 1))):
                bench.venue.quote(WARM, bid, ask)
                await asyncio.sleep(0.1)
                row = watch.table("markets")[key]
                assert (row.bid, row.ask) == (Price(bid * 100), Price(ask * 100))
                bid_sign, ask_sign = row.moved % 3 - 1, row.moved // 3 - 1
                assert bid_sign == moved[0]
                assert moved[1] is None or ask_sign == moved[1]

    run_virtual(main)


def test_a_price_that_is_gone_is_shown_as_the_last_word_of_the_model_alone() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            desk, event = bench.engine.desk, bench.engine.state.events[EVENT]
            before = event_row(event, desk.state.markets, {})
            assert all(row.fair == row.model for row in before.brackets)
            bench.feed.forecast(48.0, limit_s=1)
            await bench.until(lambda: bool(event.refusal), "no price", 5)
            gone = event_row(event, desk.state.markets, {})
            assert gone.refusal == event.refusal
            assert all(row.fair is None and row.model is not None for row in gone.brackets)

    run_virtual(main)


def test_a_reader_away_for_too_long_starts_over(monkeypatch: Any) -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            watch = Watch(bench)
            changes = bench.engine.state.changed_markets
            for number in range(21_000):
                changes.touch(f"gone-{number}")
            frames = list(watch.reader.changes())
            assert frames and all(frame.full for frame in frames)
            watch.seen.take(frames)
            await watch.agrees()

    run_virtual(main)


def test_a_large_snapshot_comes_in_parts(monkeypatch: Any) -> None:
    monkeypatch.setattr(frames_module, "PART_BYTES", 500)

    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            frames = list(Reader(Snapshot(bench.engine.desk)).full())
            assert len(frames) > 2
            assert [frame.part for frame in frames] == list(range(len(frames)))
            assert {frame.parts for frame in frames} == {len(frames)}
            assert max(len(msgspec.msgpack.encode(frame)) for frame in frames) < 4_000
            merged = Merged()
            merged.take(frames)
            assert len(merged.tables["markets"]) == 6

    run_virtual(main)


def test_every_query_is_answered_from_a_live_desk() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(5)
            served, about = (
                Served(bench.engine),
                {"rules": HOT, "source": "nws-grid", "market": HOT, "history": HOT, "payoff": HOT},
            )
            for what in QUERIES:
                reply = served.command(Query("1", what, about.get(what, "")), CLI)
                if what in ("batch", "preview"):
                    assert not reply.accepted and "card" in reply.text
                    continue
                found = msgspec.json.decode(reply.data)
                if what == "status":
                    assert found["profile"] == "demo" and found["ready"]
                elif what == "positions":
                    assert [row["net"] for row in found] == ["5.00"]
                elif what == "markets":
                    assert len(found) == 6
                elif what == "market":
                    assert re.fullmatch(r"[A-Z][a-z]{2} \d+ \d\d:\d\d ET", found["closes"])
                    assert found["position"]["net"] == found["listed"]["net"] == "5.00"
                    assert found["model"]["inputs"] and len(found["model"]["brackets"]) == 6
                    assert [order["state"] for order in found["orders"]] == ["PARTIAL"]
                    assert (found["stage"], found["why"]) == ("proposed", "an order of ours is there")
                elif what == "feeds":
                    assert [row["source"] for row in found] == ["bench"]
                elif what == "source":
                    assert found["gives"] and found["tests"] == 0
                elif what == "limits":
                    assert {row["name"] for row in found} >= {"total_loss_max", "order_cost_max"}

            for what, about in (("rules", "KX-NONE"), ("source", "nowhere"), ("weather", "")):
                reply = served.command(Query("1", what, about), CLI)
                assert not reply.accepted and (about or "Ask for one of") in reply.text

    run_virtual(main)


def test_a_source_is_tested_once_on_demand_and_tells_what_came_of_it() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            engine = bench.engine
            assert not engine.try_feed("bench", VIEWER).accepted, "it spends a quota"
            assert "nowhere" in engine.try_feed("nowhere", CLI).text
            assert engine.try_feed("bench", CLI).accepted
            assert "under way" in engine.try_feed("bench", CLI).text
            await asyncio.sleep(1)
            last = engine.trials.last["bench"]
            assert (last.number, last.found.text) == (1, "It answered.")
            assert engine.try_feed("bench", CLI).accepted
            await asyncio.sleep(1)
            assert engine.trials.last["bench"].number == 2

    run_virtual(main)


def test_a_linked_pair_follows_its_books_its_texts_and_its_end() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with two_venues(loop) as bench:
            watch = Watch(bench)
            assert link(bench).accepted
            first = watch.table("pairs")[HOT, SLUG]
            assert (first.state, len(first.ways)) == ("linked", 2)
            await watch.agrees()
            other(bench).quote(SLUG, 55, 57)
            assert watch.table("pairs")[HOT, SLUG].ways[0].cost == first.ways[0].cost - 500_000
            told(bench, twin(rules_hash="p2"))
            assert watch.table("pairs")[HOT, SLUG].ways == ()
            await watch.agrees()
            told(bench, twin(status=MarketStatus.CLOSED))
            assert watch.table("pairs") == {}
            await watch.agrees()

    run_virtual(main)


def test_a_pair_in_which_nothing_moves_loses_its_figures_with_the_stream() -> None:
    still = {"event_ticker": "STILL", "station": None, "climate_day": None}  # no model, so no news of its own
    here, there = "KXSTILL", "still"

    async def main(loop: VirtualLoop) -> None:
        async with two_venues(loop, twin(there, **still)) as bench:
            venues = (bench.venue, here), (other(bench), there)
            bench.venue.listed += (msgspec.structs.replace(bench.venue.listed[0], ticker=here, **still),)
            await bench.engine.catalogue.refresh(bench.seat)
            for venue, ticker in venues:
                venue.quote(ticker, 42, 44)
            assert link(bench, here, there).accepted
            watch = Watch(bench)
            await asyncio.sleep(1.5)
            assert None not in [way.difference for way in watch.table("pairs")[here, there].ways]
            other(bench).link = msgspec.structs.replace(other(bench).link, state=LinkState.DOWN)
            await asyncio.sleep(1)
            assert [way.difference for way in watch.table("pairs")[here, there].ways] == [None, None]

    run_virtual(main)

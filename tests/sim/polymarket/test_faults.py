"""Every switch by name: what a client sees of it, and what the exchange did all the same."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

import pytest

from core.sim.fault_kinds import Matter, matter_of_call, matter_of_frame
from core.sim.polymarket.desk import ConnectionCutError, Desk
from core.sim.polymarket.faults import SWITCHES, UNHEARD_OF
from core.sim.polymarket.limits import EDGE_LIMITS, Group
from core.sim.polymarket.orders import Stage
from core.sim.polymarket.stream import Channel
from tests.virtual import VirtualLoop, run_virtual

BUY_52 = ("BUY", 5_200_000, 10_000_000)
DOCUMENTED = {
    "accept_then_hang", "drop_before_accept", "late_accept", "500_after_accept", "500_before_accept",
    "goaway_at", "ws_freeze", "ws_gap", "ws_dup", "ws_reorder", "stale_rest_book", "bogus_rest_book",
    "ghost_fill", "balance_lag", "restart", "tick_flip", "clear_book_on_start", "resolve",
    "heartbeat_reject", "slow_throttle", "clock_skew", "unknown_error_text",
}  # fmt: skip


def served(pit: Any, request: Any, *, patience_s: float = 20.0) -> tuple[Any, float]:
    """The answer of the desk and after how long; the error where the client gave up or was cut."""

    async def ask(loop: VirtualLoop) -> tuple[Any, float]:
        began = loop.now
        try:
            async with asyncio.timeout(patience_s):
                return await Desk(pit.rest).serve(request), loop.now - began
        except (TimeoutError, ConnectionCutError) as error:
            return type(error), loop.now - began

    return run_virtual(ask)


def open_orders(pit: Any, ann: Any) -> int:
    return len(pit.exchange.open_orders(ann.key.key))


def test_every_documented_switch_is_there() -> None:
    assert set(SWITCHES) == DOCUMENTED


def test_no_other_name_is_one(pit: Any) -> None:
    with pytest.raises(ValueError, match="no fault is called 'nonsense'"):
        pit.venue.faults.flip("nonsense")


@pytest.mark.parametrize(
    ("name", "value", "seen", "accepted", "after_s"),
    [
        ("accept_then_hang", 1, TimeoutError, 1, 20),
        ("drop_before_accept", 1, ConnectionCutError, 0, 0),
        ("late_accept", 7, 200, 1, 7),
        ("500_after_accept", 1, 500, 1, 0),
        ("500_before_accept", 1, 500, 0, 0),
        ("unknown_error_text", 1, 400, 0, 0),
        ("goaway_at", 1, ConnectionCutError, 0, 0),
    ],
)
def test_what_becomes_of_an_order(
    pit: Any, ann: Any, name: str, value: float, seen: Any, accepted: int, after_s: float
) -> None:
    pit.venue.faults.flip(name, value)
    request = ann.request("POST", "/order", ann.order(*BUY_52))
    answer, took_s = served(pit, request)
    assert (answer if isinstance(answer, type) else answer.status) == seen
    assert open_orders(pit, ann) == accepted and took_s == pytest.approx(after_s)
    pit.venue.faults.end(name)
    assert served(pit, ann.request("POST", "/order", ann.order(*BUY_52)))[0].status == 200


def test_who_gave_up_may_still_have_an_order(pit: Any, ann: Any) -> None:
    """A late accept goes through for a client that has long been gone."""
    pit.venue.faults.flip("late_accept", 45)
    request = ann.request("POST", "/order", ann.order(*BUY_52))

    async def ask(_: VirtualLoop) -> None:
        serving = asyncio.create_task(Desk(pit.rest).serve(request))
        await asyncio.sleep(15)
        assert open_orders(pit, ann) == 0
        await serving

    run_virtual(ask)
    assert open_orders(pit, ann) == 1


def test_the_unheard_of_text(pit: Any, ann: Any) -> None:
    pit.venue.faults.flip("unknown_error_text")
    answer, _ = served(pit, ann.request("POST", "/order", ann.order(*BUY_52)))
    assert json.loads(answer.body) == {"error": UNHEARD_OF}


def test_cancels_and_reads_pass_what_strikes_orders(pit: Any, ann: Any) -> None:
    pit.venue.faults.flip("drop_before_accept", 1)
    assert served(pit, ann.request("DELETE", "/cancel-all"))[0].status == 200
    assert served(pit, ann.request("GET", "/data/orders"))[0].status == 200


def follow(pit: Any) -> Any:
    joined = pit.join(Channel.MARKET)
    joined.say({"assets_ids": [pit.plain.spec.tokens[0]], "type": "market"})
    joined.take()
    return joined


def quote(pit: Any, *prices: str) -> None:
    for price in prices:
        pit.placed("bob", "BUY", price, "10")


def prices(joined: Any) -> list[str]:
    return [body["price_changes"][0]["price"] for body in joined.take()]


def test_a_frozen_socket_still_answers_ping(pit: Any) -> None:
    joined = follow(pit)
    pit.venue.faults.flip("ws_freeze")
    quote(pit, "0.10")
    joined.say("PING")
    assert joined.raw() == ["PONG"]
    pit.venue.faults.end("ws_freeze")
    quote(pit, "0.11")
    assert prices(joined) == ["0.11"]


def test_lost_repeated_and_swapped_frames(pit: Any) -> None:
    joined, faults = follow(pit), pit.venue.faults
    faults.flip("ws_gap", 2)
    quote(pit, "0.10", "0.11", "0.12")
    assert prices(joined) == ["0.12"]
    faults.flip("ws_dup")
    quote(pit, "0.13")
    assert prices(joined) == ["0.13", "0.13"]
    faults.end("ws_dup")
    faults.flip("ws_reorder")
    quote(pit, "0.14", "0.15", "0.16")
    assert prices(joined) == ["0.14", "0.16", "0.15"]


def test_rest_books_can_stand_still_or_be_nonsense(pit: Any) -> None:
    quote(pit, "0.10")
    path, faults = f"/book?token_id={pit.plain.spec.tokens[0]}", pit.venue.faults
    faults.flip("stale_rest_book")
    old = pit.get(path)
    pit.later(60)
    quote(pit, "0.11")
    assert pit.get(path) == old
    faults.end("stale_rest_book")
    assert pit.get(path)["bids"][-1]["price"] == "0.11"
    faults.flip("bogus_rest_book")
    book = pit.get(path)
    assert ([x["price"] for x in book["bids"]], [x["price"] for x in book["asks"]]) == (["0.01"], ["0.99"])


def test_ghost_fills_and_their_end(pit: Any) -> None:
    pit.venue.faults.flip("ghost_fill", 1.0)
    pit.split("bob", "50")
    pit.placed("bob", "SELL", "0.50", "20")
    pit.placed("ann", "BUY", "0.50", "10")
    pit.venue.faults.end("ghost_fill")
    pit.placed("ann", "BUY", "0.50", "10")
    pit.settled()
    assert [t.stage for t in pit.exchange.trades.values()] == [Stage.FAILED, Stage.CONFIRMED]
    assert pit.held("ann") == 10_000_000


def test_world_events_by_name(pit: Any, ann: Any, make_pit: Any) -> None:
    pit.venue.faults.flip("restart", 30)
    assert ann.post(*BUY_52).status == 425
    pit.later(31)
    assert ann.post(*BUY_52).status == 503
    pit.later(120)
    pit.venue.faults.flip("tick_flip")
    assert {m.tick for m in pit.exchange.markets.values()} == {10}
    pit.venue.faults.flip("resolve", 1)
    assert pit.plain.payouts == (0, 1_000_000) and pit.ladder.payouts is None
    other = make_pit(clears_on_start=True)
    other.placed("bob", "BUY", "0.50", "10")
    other.placed("bob", "BUY", "0.50", "10", on=other.ladder)
    other.venue.faults.flip("clear_book_on_start")
    assert other.bids() == [] and other.exchange.levels(other.ladder, 0)[0] != []


def test_a_rejected_beat_names_the_id_that_is_expected(pit: Any, ann: Any) -> None:
    def beat(heartbeat_id: str) -> tuple[int, str]:
        answer = ann.call("POST", "/v1/heartbeats", {"heartbeat_id": heartbeat_id})
        return answer.status, json.loads(answer.body)["heartbeat_id"]

    _, following = beat("")
    pit.venue.faults.flip("heartbeat_reject")
    status, expected = beat(following)
    assert status == 400 and expected != following
    assert beat(expected)[0] == 200


def test_throttling_is_slow_before_it_refuses(pit: Any) -> None:
    from core.sim.polymarket.rest import Request

    limit = EDGE_LIMITS[Group.BOOK]
    pit.venue.faults.flip("slow_throttle", limit / 10)
    request = Request("GET", "/book", f"token_id={pit.plain.spec.tokens[0]}")

    async def burst(loop: VirtualLoop) -> list[tuple[int, float]]:
        async def one() -> tuple[int, float]:
            began = loop.now
            answer = await Desk(pit.rest).serve(request)
            return answer.status, loop.now - began

        return await asyncio.gather(*(one() for _ in range(20)))

    answers = run_virtual(burst)
    assert {status for status, _ in answers[:10]} == {200} and answers[0][1] == 0
    waits = [took for status, took in answers if status == 200]
    assert waits == sorted(waits) and waits[-1] > 1
    assert answers[-1][0] == 429
    answer = run_virtual(lambda _: Desk(pit.rest).serve(request))
    assert not any(name.startswith("Poly-") for name in answer.headers)


def test_a_wrong_clock_is_told_and_refuses(pit: Any, ann: Any) -> None:
    pit.venue.faults.flip("clock_skew", 29)
    assert pit.get("/time") == pit.clock.ms // 1000 + 29
    assert ann.call("GET", "/data/orders").status == 200
    pit.venue.faults.flip("clock_skew", -31)
    assert ann.call("GET", "/data/orders").status == 401
    pit.venue.faults.end("clock_skew")
    assert ann.call("GET", "/data/orders").status == 200


@pytest.mark.parametrize(
    ("method", "path", "matter"),
    [
        ("POST", "/order", Matter.CREATE),
        ("POST", "/orders", Matter.CREATE),
        ("DELETE", "/order", Matter.CANCEL),
        ("DELETE", "/cancel-all", Matter.CANCEL),
        ("POST", "/v1/heartbeats", Matter.BEAT),
        ("POST", "/books", Matter.READ),
        ("GET", "/data/orders?next_cursor=MA==", Matter.ORDERS),
        ("GET", "/data/order/0x12", Matter.ORDER),
        ("GET", "/data/trades", Matter.FILLS),
        ("GET", "/balance-allowance?asset_type=COLLATERAL", Matter.POSITIONS),
        ("GET", "/data-api/v2/positions?user=0x1", Matter.POSITIONS),
        ("GET", "/gamma/events/keyset", Matter.LISTING),
        ("GET", "/clob-markets/0x12", Matter.LISTING),
        ("GET", "/book?token_id=1", Matter.READ),
    ],
)
def test_plans_know_what_calls_are_about(method: str, path: str, matter: Matter) -> None:
    assert matter_of_call(method, path) is matter


def test_plans_know_what_frames_are_about(pit: Any, ann: Any) -> None:
    joined, user = follow(pit), pit.join(Channel.USER)
    key = ann.key
    user.say({"auth": {"apiKey": key.key, "secret": key.secret, "passphrase": key.passphrase}})
    ann.placed(*BUY_52)
    pit.split("bob", "50")
    pit.order("bob", "SELL", "0.52", "10")
    matters = [matter_of_frame(frame.encode()) for frame in joined.raw()]
    assert matters == [Matter.DELTA, Matter.DELTA, Matter.PUBLIC, Matter.SNAPSHOT]
    matters = [matter_of_frame(frame.encode()) for frame in user.raw()]
    assert matters == [Matter.PRIVATE, Matter.PRIVATE, Matter.FILL]


def test_a_seeded_crowd_of_faults_never_loses_money(pit: Any) -> None:
    rng = random.Random(9)
    pit.venue.faults.flip("ghost_fill", 0.4)
    pit.exchange.settlement.pace.reorg_share = 0.4
    pit.split("bob", "500")
    for _ in range(120):
        who, side = rng.choice(["ann", "bob", "cyd"]), rng.choice(["BUY", "SELL"])
        pit.order(who, side, f"0.{rng.randint(40, 60)}", str(rng.randint(5, 30)), outcome=rng.randint(0, 1))
        pit.later(rng.random() * 3)
    pit.settled()
    wallets = len(pit.exchange.wallets)
    assert pit.total() == wallets * 1_000_000_000

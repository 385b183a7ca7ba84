"""Orders on a scripted transport: what leaves, what each answer proves, and what is to be gone at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.clock import Clocks
from core.domain.order import BookSide, OrderIntent, Purpose
from core.domain.units import contracts
from core.venues.http import Answer
from core.venues.limiter import Priority
from core.venues.polymarket.answers import expected, placed, placed_batch
from core.venues.polymarket.cancels import Cancels
from core.venues.polymarket.errors import Meaning
from core.venues.polymarket.l2 import RequestSigner
from core.venues.polymarket.orders import BATCH_MAX, Orders
from core.venues.venue import Accepted, NeverSent, Rejected, Sealed, Unresolved
from tests.venues.conftest import START_MS
from tests.venues.polymarket.orders_of import INTENT, immediate, intent, sealed
from tests.venues.polymarket.scripted import CREDENTIALS, Account
from tests.venues.scripted import Reply, Script, answer

Run = Callable[[Any], Any]

CLOSE = intent(side=BookSide.ASK, purpose=Purpose.CLOSE, post_only=False)
SALE = immediate(side=BookSide.ASK, purpose=Purpose.CLOSE)
BUY_NOW = immediate()


def body(of: OrderIntent = INTENT, status: str = "live", **changes: Any) -> dict[str, Any]:
    return {
        "success": True,
        "errorMsg": "",
        "orderID": sealed(of).order_id,
        "status": status,
        "makingAmount": "",
        "takingAmount": "",
        "transactionsHashes": [],
        "tradeIDs": [],
        **changes,
    }


class Desk(Account):
    def __init__(self, clocks: Clocks, script: httpx.AsyncBaseTransport) -> None:
        super().__init__(clocks, script)
        self.refusals: list[tuple[str, Meaning]] = []
        self.cancels = Cancels(self.http)
        self.orders = Orders(self.http, self.cancels, lambda t, r: self.refusals.append((t, r.meaning)))

    async def place(self, of: OrderIntent = INTENT, check: Any = lambda: None) -> Any:
        return await self.orders.place(of, sealed(of), check, Priority.ENTRY)


def run_place(
    virtual: Run, clocks: Clocks, *replies: Reply, of: OrderIntent = INTENT, check: Any = lambda: None
) -> tuple[Any, Desk, Script]:
    script = Script(*replies)

    async def main() -> tuple[Any, Desk, Script]:
        desk = Desk(clocks, script)
        return await desk.place(of, check), desk, script

    return virtual(main())


def test_the_sealed_bytes_are_what_leaves_signed(virtual: Run, virtual_clocks: Clocks) -> None:
    outcome, _, script = run_place(virtual, virtual_clocks, answer(200, body()))
    sent = script.requests[0]
    assert outcome == Accepted(sealed(INTENT).order_id, 0, contracts(100), START_MS)
    assert (sent.method, sent.url.path, sent.content) == ("POST", "/order", sealed(INTENT).body)
    signed = RequestSigner(CREDENTIALS).headers("POST", "/order", sent.content, START_MS // 1_000)
    assert {name: sent.headers[name] for name in signed} == signed


@pytest.mark.parametrize(
    ("of", "said", "filled", "remaining"),
    [
        (INTENT, body(status="live"), 0, 100),
        (INTENT, body(status="LIVE"), 0, 100),
        (INTENT, body(status="unmatched"), 0, 100),
        (INTENT, body(status="delayed", makingAmount="0", takingAmount="0"), 0, 100),
        (INTENT, body(status="matched", makingAmount="52", takingAmount="100"), 100, 0),
        (INTENT, body(status="matched", makingAmount="12.9", takingAmount="25"), 25, 75),
        (CLOSE, body(CLOSE, "matched", makingAmount="25", takingAmount="13"), 25, 75),
        (SALE, body(SALE, "matched", makingAmount="25", takingAmount="13"), 25, 0),
        (SALE, body(SALE, "delayed", makingAmount="0", takingAmount="0"), 0, 100),
    ],
)
def test_what_an_acceptance_says(of: OrderIntent, said: Any, filled: int, remaining: int) -> None:
    outcome = placed(expected(of, sealed(of)), Answer(200, json.dumps(said).encode()), 17).outcome
    word = said["status"] if said["status"] in ("delayed", "unmatched") else ""
    assert outcome == Accepted(sealed(of).order_id, contracts(filled), contracts(remaining), 17, word)


@pytest.mark.parametrize(
    "said",
    [
        {},
        [],
        "ok",
        body(orderID=""),
        body(orderID="0x" + "ab" * 32),
        body(orderID=None),
        body(status="matched"),
        body(status="matched", takingAmount="0"),
        body(status="matched", takingAmount="a lot"),
        body(status="matched", takingAmount="-5"),
        body(status="settled"),
        body(status=None),
        {"success": False},
        {"success": False, "errorMsg": "a text nobody has seen"},
        body(errorMsg="order match delayed due to market conditions"),
        body(errorMsg="order 0x1 is invalid. Duplicated."),
        b"<html>",
        b"",
    ],
)
def test_what_does_not_plainly_say_so_proves_nothing(said: Any) -> None:
    data = said if isinstance(said, bytes) else json.dumps(said).encode()
    assert isinstance(placed(expected(INTENT, sealed(INTENT)), Answer(200, data), 17).outcome, Unresolved)


@given(st.binary(max_size=300), st.sampled_from([200, 201, 400, 404, 425, 429, 500, 503]))
def test_no_answer_breaks_the_reading_or_proves_by_accident(data: bytes, status: int) -> None:
    outcome = placed(expected(INTENT, sealed(INTENT)), Answer(status, data), 17).outcome
    assert isinstance(outcome, Unresolved)


@pytest.mark.parametrize(
    ("reply", "outcome", "meaning"),
    [
        (answer(400, {"error": "not enough balance / allowance"}), Rejected, Meaning.FUNDS),
        (
            answer(400, {"success": False, "errorMsg": "invalid signature", "orderID": ""}),
            Rejected,
            Meaning.CONFIG,
        ),
        (answer(200, body(errorMsg="order crosses book")), Rejected, Meaning.REJECTED),
        (answer(401, {"error": "Unauthorized/Invalid api key"}), Rejected, Meaning.CREDENTIAL),
        (answer(403, b"<html>"), Rejected, Meaning.EDGE),
        (answer(404, {"error": "market not found"}), Rejected, Meaning.REJECTED),
        (answer(400, {"error": "order x is invalid. Duplicated."}), Unresolved, Meaning.DUPLICATE),
        (
            answer(400, {"error": "order match delayed due to market conditions"}),
            Unresolved,
            Meaning.AMBIGUOUS,
        ),
        (answer(400, {"error": "context canceled"}), Unresolved, Meaning.AMBIGUOUS),
        (answer(425), Unresolved, Meaning.RESTARTING),
        (answer(429), Unresolved, Meaning.AMBIGUOUS),
        (answer(500, {"error": "could not insert order"}), Unresolved, Meaning.AMBIGUOUS),
        (answer(503, {"error": "x", "code": "post_only_mode"}), Unresolved, Meaning.POST_ONLY),
    ],
)
def test_a_refusal_is_proof_or_not_and_told(
    virtual: Run, virtual_clocks: Clocks, reply: httpx.Response, outcome: type, meaning: Meaning
) -> None:
    found, desk, script = run_place(virtual, virtual_clocks, reply)
    assert isinstance(found, outcome) and desk.refusals == [("will-it-rain", meaning)]
    assert len(script.requests) == 1, "an order is never repeated"


def test_a_throttled_order_is_proof_only_where_orders_are_counted(
    virtual: Run, virtual_clocks: Clocks
) -> None:
    counted = httpx.Response(429, headers={"Poly-RateLimit-Remaining": "0", "retry-after": "1"}, json={})
    found, desk, _ = run_place(virtual, virtual_clocks, counted)
    assert isinstance(found, Rejected) and desk.refusals == [("will-it-rain", Meaning.THROTTLED)]


def test_a_killed_order_was_accepted_and_is_over(virtual: Run, virtual_clocks: Clocks) -> None:
    text = "no orders found to match with FAK order. FAK orders are partially filled or killed if no match"
    found, desk, _ = run_place(virtual, virtual_clocks, answer(400, {"error": text}), of=SALE)
    assert found == Accepted(sealed(SALE).order_id, 0, 0, START_MS)
    assert desk.refusals == [("will-it-rain", Meaning.KILLED)]


@pytest.mark.parametrize(
    ("fault", "before", "outcome"),
    [
        (httpx.ConnectError("refused"), True, NeverSent),
        (httpx.PoolTimeout(""), True, NeverSent),
        (httpx.ReadTimeout(""), False, Unresolved),
        (httpx.RemoteProtocolError("ConnectionTerminated"), False, Unresolved),
    ],
)
def test_a_fault_proves_nothing_once_a_byte_may_have_left(
    virtual: Run, virtual_clocks: Clocks, fault: Exception, before: bool, outcome: type
) -> None:
    script = Script(answer(), before_bytes=fault) if before else Script(fault)

    async def main() -> Any:
        return await Desk(virtual_clocks, script).place()

    assert isinstance(virtual(main()), outcome)


def test_an_answer_is_waited_for_longer_than_the_venue_may_hold_it(
    virtual: Run, virtual_clocks: Clocks
) -> None:
    async def main() -> float:
        outcome = await Desk(virtual_clocks, Script(answer(200, body()), delay_s=60)).place()
        assert isinstance(outcome, Unresolved)
        return asyncio.get_running_loop().time()

    assert virtual(main()) == pytest.approx(18.0, abs=0.01)


def test_the_last_check_stops_it_without_a_byte(virtual: Run, virtual_clocks: Clocks) -> None:
    found, _, script = run_place(virtual, virtual_clocks, answer(), check=lambda: "book moved")
    assert found == NeverSent("book moved") and script.requests == []


# --- immediate purchases ---------------------------------------------------------------------------


ACKNOWLEDGED = answer(200, {"canceled": [sealed(BUY_NOW).order_id], "not_canceled": {}})
PARTLY = answer(200, body(BUY_NOW, "matched", makingAmount="13", takingAmount="25"))


def bought(virtual: Run, clocks: Clocks, *replies: Reply, of: OrderIntent = BUY_NOW, seconds: float) -> Any:
    """The outcome, the desk some time later, and what was sent by then."""
    script = Script(*replies)

    async def main() -> Any:
        desk = Desk(clocks, script)
        running = asyncio.create_task(desk.orders.run())
        outcome = await desk.place(of)
        await asyncio.sleep(seconds)
        running.cancel()
        return outcome, desk, script

    return virtual(main())


def test_the_rest_of_an_immediate_purchase_is_cancelled_at_once(virtual: Run, virtual_clocks: Clocks) -> None:
    found, desk, script = bought(virtual, virtual_clocks, PARTLY, ACKNOWLEDGED, seconds=0.001)
    assert found == Accepted(sealed(BUY_NOW).order_id, contracts(25), contracts(75), START_MS)
    assert [(r.method, r.url.path) for r in script.requests] == [("POST", "/order"), ("DELETE", "/order")]
    assert json.loads(script.requests[1].content) == {"orderID": sealed(BUY_NOW).order_id}
    assert desk.orders.leftovers == {}


def test_what_filled_whole_or_is_meant_to_rest_is_left_alone(virtual: Run, virtual_clocks: Clocks) -> None:
    whole = answer(200, body(BUY_NOW, "matched", makingAmount="52", takingAmount="100"))
    for reply, of in ((whole, BUY_NOW), (answer(200, body()), INTENT)):
        _, _, script = bought(virtual, virtual_clocks, reply, of=of, seconds=10)
        assert len(script.requests) == 1


def test_a_rest_that_could_not_be_cancelled_is_tried_until_it_is(
    virtual: Run, virtual_clocks: Clocks
) -> None:
    replies = (PARTLY, answer(500), answer(502), httpx.ReadError(""), ACKNOWLEDGED)
    _, desk, script = bought(virtual, virtual_clocks, *replies, seconds=0.8)
    assert desk.orders.leftovers and len(script.requests) == 4
    _, desk, script = bought(virtual, virtual_clocks, *replies, seconds=20)
    assert desk.orders.leftovers == {} and len(script.requests) == 5


def test_a_delayed_purchase_that_cannot_be_cancelled_yet_is_kept_in_mind(
    virtual: Run, virtual_clocks: Clocks
) -> None:
    not_yet = answer(200, {"not_canceled": {sealed(BUY_NOW).order_id: "order can't be found"}})
    delayed = answer(200, body(BUY_NOW, "delayed"))
    _, desk, _ = bought(virtual, virtual_clocks, delayed, not_yet, seconds=125)
    assert desk.orders.leftovers, "it is not there yet, and may rest in a moment"
    _, desk, _ = bought(virtual, virtual_clocks, delayed, not_yet, seconds=135)
    assert desk.orders.leftovers == {}, "its short life is over"
    _, desk, script = bought(virtual, virtual_clocks, delayed, not_yet, ACKNOWLEDGED, seconds=5)
    assert desk.orders.leftovers == {} and len(script.requests) == 3, "it rested, and was taken off"


@pytest.mark.parametrize("lost", [httpx.ReadTimeout(""), answer(200, b"not json")])
def test_a_purchase_nobody_answered_is_taken_off_should_it_have_come_to_rest(
    virtual: Run, virtual_clocks: Clocks, lost: Reply
) -> None:
    unknown = answer(200, {"not_canceled": {sealed(BUY_NOW).order_id: "order can't be found"}})
    found, desk, script = bought(virtual, virtual_clocks, lost, unknown, ACKNOWLEDGED, seconds=5)
    assert isinstance(found, Unresolved)
    assert [(r.method, r.url.path) for r in script.requests] == [("POST", "/order")] + 2 * [
        ("DELETE", "/order")
    ]
    assert desk.orders.leftovers == {}
    _, desk, script = bought(virtual, virtual_clocks, lost, of=INTENT, seconds=5)
    assert len(script.requests) == 1, "what is meant to rest is looked up instead"


def test_a_matched_purchase_that_is_not_there_needs_no_cancel(virtual: Run, virtual_clocks: Clocks) -> None:
    gone = answer(200, {"canceled": [], "not_canceled": {sealed(BUY_NOW).order_id: "Order already matched"}})
    _, desk, script = bought(virtual, virtual_clocks, PARTLY, gone, seconds=10)
    assert desk.orders.leftovers == {} and len(script.requests) == 2


# --- batches ---------------------------------------------------------------------------------------


def batch(count: int) -> list[tuple[OrderIntent, Sealed]]:
    return [(INTENT, sealed(INTENT, salt=number)) for number in range(1, count + 1)]


def test_a_batch_leaves_as_the_sealed_bytes_and_is_answered_in_order(
    virtual: Run, virtual_clocks: Clocks
) -> None:
    orders = batch(3)
    replies = [
        body(orderID=orders[0][1].order_id),
        {"success": True, "errorMsg": "not enough balance / allowance", "orderID": "", "status": ""},
        body(orderID=orders[0][1].order_id),
    ]
    script = Script(answer(200, replies))

    async def main() -> Any:
        return await Desk(virtual_clocks, script).orders.place_batch(orders, lambda: None, Priority.ENTRY)

    outcomes = virtual(main())
    assert [type(outcome) for outcome in outcomes] == [Accepted, Rejected, Unresolved]
    assert script.requests[0].url.path == "/orders"
    assert json.loads(script.requests[0].content) == [json.loads(s.body) for _, s in orders]
    assert orders[1][1].body in script.requests[0].content


@pytest.mark.parametrize("said", [[], [body()], [body()] * 3, {}, "x", None])
def test_a_batch_answered_short_proves_nothing(said: Any) -> None:
    asked = [expected(of, s) for of, s in batch(2)]
    reads = placed_batch(asked, Answer(200, json.dumps(said).encode()), 17)
    assert [type(read.outcome) for read in reads] == [Unresolved] * 2


def test_a_refused_batch_refuses_every_order() -> None:
    asked = [expected(of, s) for of, s in batch(2)]
    refused = placed_batch(
        asked, Answer(400, b'{"error":"Too many orders in payload: 16, max allowed: 15"}'), 17
    )
    assert [type(read.outcome) for read in refused] == [Rejected] * 2


@pytest.mark.parametrize("count", [0, BATCH_MAX + 1])
def test_a_batch_of_another_size_is_a_mistake(virtual: Run, virtual_clocks: Clocks, count: int) -> None:
    async def main() -> None:
        with pytest.raises(ValueError, match="1 to 15"):
            await Desk(virtual_clocks, Script(answer())).orders.place_batch(
                batch(count), lambda: None, Priority.ENTRY
            )

    virtual(main())


def test_a_batch_takes_as_many_tokens_as_it_has_orders(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        desk = Desk(virtual_clocks, Script(answer(200, [])))
        assert desk.limiter.entry_free(70.0, 0.0)
        await desk.orders.place_batch(batch(15), lambda: None, Priority.ENTRY)
        assert not desk.limiter.entry_free(60.0, 0.0) and desk.limiter.entry_free(50.0, 0.0)

    virtual(main())

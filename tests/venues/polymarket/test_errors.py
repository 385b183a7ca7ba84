"""What the venue's refusals mean: its texts, whatever their case and envelope, and everything unheard of."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.venues.polymarket.errors import PROOF, TABLE, Meaning, classify, refusal
from core.venues.retry import Trouble

ADDRESS = "'0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A' address"
BALANCE = "not enough balance / allowance"

TEXTS: tuple[tuple[int, str, Meaning], ...] = (
    (400, "Invalid order payload", Meaning.CONFIG),
    (400, "order_version_mismatch", Meaning.CONFIG),
    (400, "the order owner has to be the owner of the API KEY", Meaning.CONFIG),
    (400, "the order signer address has to be the address of the API KEY", Meaning.CONFIG),
    (400, "invalid signature", Meaning.CONFIG),
    (400, f"{ADDRESS} banned", Meaning.ACCOUNT),
    (400, f"{ADDRESS} in closed only mode", Meaning.ACCOUNT),
    (400, "maker address not allowed, please use the deposit wallet flow", Meaning.CONFIG),
    (400, "order 0x1 is invalid. Price (0.525) breaks minimum tick size rule: 0.01", Meaning.STALE_TICK),
    (400, "order 0x1 is invalid. Size (0.1) lower than the minimum: 5", Meaning.REJECTED),
    (400, "invalid amount for a marketable BUY order ($0.9982), min size: $1", Meaning.REJECTED),
    (400, "order 0x1 is invalid. Duplicated.", Meaning.DUPLICATE),
    (400, "invalid post-only order: order crosses book", Meaning.REJECTED),
    (400, "order 0x1 crosses the book", Meaning.REJECTED),
    (400, BALANCE, Meaning.FUNDS),
    (400, f"{BALANCE}: the balance is not enough -> balance: 4893500, order amount: 5000000", Meaning.FUNDS),
    (400, "invalid expiration", Meaning.REJECTED),
    (400, "invalid amounts, the taker amount for a $0.22 order should be '4.3318'", Meaning.REJECTED),
    (400, "order couldn't be fully filled. FOK orders are fully filled or killed.", Meaning.KILLED),
    (
        400,
        "no orders found to match with FAK order. FAK orders are partially filled or killed",
        Meaning.KILLED,
    ),
    (400, "order match delayed due to market conditions", Meaning.AMBIGUOUS),
    (400, "order canceled in the CTF exchange contract", Meaning.REJECTED),
    (400, "the market is not yet ready to process new orders", Meaning.REJECTED),
    (400, "Too many orders in payload: 16, max allowed: 15", Meaning.REJECTED),
    (400, "context canceled", Meaning.AMBIGUOUS),
    (401, "Unauthorized/Invalid api key", Meaning.CREDENTIAL),
    (401, "Invalid L1 Request headers", Meaning.CREDENTIAL),
    (403, "", Meaning.EDGE),
    (404, "market not found", Meaning.REJECTED),
    (404, "No orderbook exists for the requested token id", Meaning.REJECTED),
    (404, "the order was not found after it was inserted", Meaning.AMBIGUOUS),
    (425, "", Meaning.RESTARTING),
    (429, "too many requests", Meaning.AMBIGUOUS),
    (500, "could not insert order", Meaning.AMBIGUOUS),
    (500, "Internal server error", Meaning.AMBIGUOUS),
    (500, "there are no matching orders", Meaning.AMBIGUOUS),
    (500, "FOK orders are filled or killed", Meaning.AMBIGUOUS),
    (500, "the trade contains rounding issues", Meaning.AMBIGUOUS),
    (500, "invalid signature", Meaning.AMBIGUOUS),
    (502, "", Meaning.AMBIGUOUS),
    (503, "Trading is currently disabled. Check polymarket.com for updates", Meaning.DISABLED),
    (503, "trading is disabled", Meaning.DISABLED),
    (
        503,
        "Trading is currently cancel-only. New orders are not accepted",
        Meaning.CANCEL_ONLY,
    ),
    (503, "post-only mode: only post-only orders and cancels are allowed", Meaning.POST_ONLY),
    (503, "Service Unavailable", Meaning.AMBIGUOUS),
    (400, "a text nobody has seen before", Meaning.AMBIGUOUS),
)


@pytest.mark.parametrize(("status", "text", "meaning"), TEXTS)
@pytest.mark.parametrize(
    "shape", [lambda t: {"error": t}, lambda t: {"success": False, "errorMsg": t, "orderID": ""}]
)
def test_every_known_text_in_any_case_and_envelope(
    status: int, text: str, meaning: Meaning, shape: Any
) -> None:
    for said in (text, text.upper(), text.lower()):
        assert refusal(status, json.dumps(shape(said)).encode()).meaning is meaning


def test_every_row_of_the_table_is_reached() -> None:
    reached = {classify(status, text).code for status, text, _ in TEXTS}
    assert {name for _, _, _, name in TABLE} - reached == {"no_allowance"}
    assert classify(400, "the allowance is not enough -> allowance: 0").code == "no_allowance"


def test_a_429_is_proof_only_where_the_orders_themselves_were_counted() -> None:
    body = b'{"error":"too many requests"}'
    counted = refusal(429, body, {"poly-ratelimit-remaining": "0", "retry-after": "1"})
    assert (counted.meaning, counted.trouble) == (Meaning.THROTTLED, Trouble.THROTTLED)
    assert refusal(429, body, {"retry-after": "1"}).trouble is Trouble.UNANSWERED


@pytest.mark.parametrize(
    ("status", "meaning"), [(403, Meaning.EDGE), (400, Meaning.AMBIGUOUS), (502, Meaning.AMBIGUOUS)]
)
def test_a_page_of_the_edge_is_read_by_its_status_alone(status: int, meaning: Meaning) -> None:
    page = b"<html><head><title>Attention Required!</title></head><body>blocked\x1b[31m</body></html>"
    said = refusal(status, page)
    assert said.meaning is meaning and said.text.startswith("<html>") and "\x1b" not in said.text


def test_what_a_mode_says_of_its_end_is_kept() -> None:
    said = refusal(503, b'{"error":"post-only mode","code":"post_only_mode","retry_after_seconds":79}')
    assert (said.meaning, said.code, said.retry_after_s) == (Meaning.POST_ONLY, "post_only_mode", 79)
    assert refusal(503, b'{"error":"x","code":"post_only_mode","retry_after_seconds":-5}').retry_after_s == 0
    for header, wait_s in (("90", 90), ("999999", 3_600), ("1" * 5_000, 0), ("-5", 0), ("soon", 0)):
        assert refusal(425, b"engine is restarting", {"retry-after": header}).retry_after_s == wait_s


def test_a_closed_venue_proves_nothing_of_an_order_under_way() -> None:
    for meaning in (Meaning.RESTARTING, Meaning.CANCEL_ONLY, Meaning.POST_ONLY, Meaning.DISABLED):
        assert meaning not in PROOF


@given(st.integers(min_value=200, max_value=599), st.binary(max_size=200))
def test_no_body_breaks_the_reading_and_no_unknown_text_is_proof(status: int, body: bytes) -> None:
    said = refusal(status, body)
    assert said.meaning not in PROOF or status in (401, 403)

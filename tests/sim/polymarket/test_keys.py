"""Logins and signed requests: against the published vectors, and everything that is not quite one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from coincurve import PrivateKey

from core.sim.polymarket import chain, keys
from core.sim.polymarket.rest import Request

VECTORS = Path(__file__).parents[4] / "shared/data/polymarket/golden_vectors.json"


@pytest.fixture(scope="module")
def vectors() -> dict[str, Any]:
    if not VECTORS.exists():
        pytest.skip("../shared/data/polymarket/golden_vectors.json is not here")
    found: dict[str, Any] = json.loads(VECTORS.read_text())
    return found


def test_request_signatures_of_the_vectors(vectors: dict[str, Any]) -> None:
    for case in vectors["l2"]["cases"]:
        made = keys.signature(
            vectors["l2"]["secret"],
            vectors["l2"]["timestamp"],
            case["method"],
            case["path"],
            (case["body"] or "").encode(),
        )
        assert made == case["signature"]


@pytest.fixture
def login(pit: Any, vectors: dict[str, Any]) -> dict[str, str]:
    """The vectors' login, at the moment it was made."""
    pit.clock.ms = int(vectors["l1"]["timestamp"]) * 1000
    return {
        "poly_address": vectors["address"],
        "poly_signature": vectors["l1"]["signature"],
        "poly_timestamp": vectors["l1"]["timestamp"],
        "poly_nonce": str(vectors["l1"]["nonce"]),
    }


def test_a_key_is_made_once_and_derived_ever_after(pit: Any, login: dict[str, str]) -> None:
    missing = pit.rest.handle(Request("GET", "/auth/derive-api-key", "", login))
    assert missing.status == 400
    made = pit.rest.handle(Request("POST", "/auth/api-key", "", login))
    assert made.status == 200 and set(json.loads(made.body)) == {"apiKey", "secret", "passphrase"}
    again = pit.rest.handle(Request("POST", "/auth/api-key", "", login))
    assert (again.status, json.loads(again.body)) == (400, {"error": "Could not create api key"})
    derived = pit.rest.handle(Request("GET", "/auth/derive-api-key", "", login))
    assert derived.body == made.body


@pytest.mark.parametrize(
    "change",
    [
        {"poly_nonce": "1"},
        {"poly_nonce": "-1"},
        {"poly_timestamp": "1794999999"},
        {"poly_timestamp": "later"},
        {"poly_signature": "0x"},
        {"poly_signature": "0x" + "11" * 65},
        {"poly_address": "0x" + "12" * 20},
        {"poly_address": "nobody"},
    ],
)
def test_no_other_login_will_do(pit: Any, login: dict[str, str], change: dict[str, str]) -> None:
    answer = pit.rest.handle(Request("POST", "/auth/api-key", "", login | change))
    assert (answer.status, json.loads(answer.body)) == (401, {"error": "Invalid L1 Request headers"})


def test_an_old_login_is_refused(pit: Any, login: dict[str, str]) -> None:
    pit.clock.ms += 31_000
    assert pit.rest.handle(Request("POST", "/auth/api-key", "", login)).status == 401


@pytest.mark.parametrize(
    "change",
    [
        {"poly_signature": "AAAA"},
        {"poly_passphrase": "other"},
        {"poly_api_key": "00000000-0000-0000-0000-000000000000"},
        {"poly_address": "0x" + "12" * 20},
        {"poly_timestamp": "1795399969"},
        {"poly_timestamp": ""},
    ],
)
def test_a_request_that_is_not_quite_signed(ann: Any, change: dict[str, str]) -> None:
    answer = ann.call("GET", "/data/orders", **change)
    assert (answer.status, json.loads(answer.body)) == (401, {"error": "Unauthorized/Invalid api key"})


def test_the_body_counts_as_it_was_sent_and_the_query_not_at_all(pit: Any, ann: Any) -> None:
    assert ann.call("GET", "/data/orders?market=0x12").status == 200
    signed = ann.request("POST", "/v1/heartbeats", b'{"heartbeat_id":""}')
    spaced = Request("POST", "/v1/heartbeats", "", signed.headers, b'{"heartbeat_id": ""}')
    assert pit.rest.handle(spaced).status == 401
    assert pit.rest.handle(signed).status == 200


def test_keys_are_listed_and_deleted(ann: Any) -> None:
    assert ann.get("/auth/api-keys") == {"apiKeys": [ann.key.key]}
    assert json.loads(ann.call("DELETE", "/auth/api-key").body) == "OK"
    assert ann.call("GET", "/auth/api-keys").status == 401


def test_a_read_only_key_reads_trades_and_nothing_else(pit: Any, ann: Any) -> None:
    made = json.loads(ann.call("POST", "/auth/readonly-api-key").body)
    full, ann.key = ann.key, pit.venue.keys.named(made["apiKey"], made["secret"], made["passphrase"])
    assert ann.call("GET", "/data/trades").status == 200
    assert ann.call("GET", "/data/orders").status == 401
    assert ann.call("DELETE", "/cancel-all").status == 401
    ann.key = full
    assert ann.get("/auth/readonly-api-keys") == {"readonlyApiKeys": [made["apiKey"]]}
    assert ann.call("DELETE", "/auth/readonly-api-key", {"key": made["apiKey"]}).status == 200
    assert ann.get("/auth/readonly-api-keys") == {"readonlyApiKeys": []}


def test_only_signatures_with_the_contracts_recovery_byte(pit: Any, ann: Any) -> None:
    posted = ann.order("BUY", 5_200_000, 10_000_000)
    signature = chain.raw(posted["order"]["signature"])
    posted["order"]["signature"] = "0x" + (signature[:64] + bytes([signature[64] - 27])).hex()
    assert json.loads(ann.call("POST", "/order", posted).body)["error"] == "invalid signature"


def test_another_wallets_signature_is_not_ours(pit: Any, ann: Any) -> None:
    ours, ann.private = ann.private, PrivateKey((77).to_bytes(32, "big"))
    posted = ann.order("BUY", 5_200_000, 10_000_000)
    ann.private = ours
    assert json.loads(ann.call("POST", "/order", posted).body)["error"] == "invalid signature"

"""Signatures, clock window and scopes."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

ROOT = "/trade-api/v2"
BALANCE = f"{ROOT}/portfolio/balance"


async def ask(desk, headers, path=BALANCE):
    return await desk.http.get(path, headers=headers)


@pytest.mark.parametrize("key", [0, 1, 2])
async def test_ed25519_and_rsa_keys_may_read(desk, key):
    assert (await desk.call("GET", "/portfolio/positions?limit=5", key=key)).status_code == 200


def test_generated_keys_are_private_files_in_kalshis_forms(desk):
    forms = {"ed25519": "BEGIN PRIVATE KEY", "rsa": "BEGIN RSA PRIVATE KEY"}
    for entry in desk.keys:
        path = Path(entry.private_key_path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert forms[entry.type] in path.read_text()
    generated = desk.keys[:3]
    assert [entry.scopes for entry in generated] == [("read", "write::trade")] * 2 + [("read",)]


@pytest.mark.parametrize("off_ms", [-5_000, 5_000])
async def test_timestamps_within_five_seconds_of_real_time_pass(desk, signer, off_ms):
    signed = signer(desk.keys[0], desk.floor.clock.ms + off_ms, "GET", BALANCE)
    assert (await ask(desk, signed)).status_code == 200


@pytest.mark.parametrize("off_ms", [-5_001, 5_001])
async def test_timestamps_outside_the_window_are_expired(desk, signer, off_ms):
    answer = await ask(desk, signer(desk.keys[0], desk.floor.clock.ms + off_ms, "GET", BALANCE))
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "header_timestamp_expired"


@pytest.mark.parametrize(
    ("key", "change"),
    [
        (0, {"text": "{ts}GET/portfolio/balance"}),
        (1, {"text": "{ts}GET/portfolio/balance"}),
        (0, {"text": "{ts}POST" + BALANCE}),
        (0, {"text": "{ts}GET" + BALANCE + "?subaccount=0"}),
        (1, {"salt": "20"}),
    ],
    ids=["bare path", "bare path RSA", "method", "query signed", "salt"],
)
async def test_wrongly_signed_requests_are_refused(desk, signer, key, change):
    ts_ms = desk.floor.clock.ms
    change = {name: value.format(ts=ts_ms) for name, value in change.items()}
    signed = signer(desk.keys[key], ts_ms, "GET", BALANCE, **change)
    answer = await ask(desk, signed, BALANCE + "?subaccount=0")
    assert answer.status_code == 401
    error = answer.json()["error"]
    assert (error["code"], error["details"]) == ("authentication_error", "INCORRECT_API_KEY_SIGNATURE")


@pytest.mark.parametrize(
    "change",
    [
        {"KALSHI-ACCESS-KEY": "nobody"},
        {"KALSHI-ACCESS-SIGNATURE": "not base64!"},
        {"KALSHI-ACCESS-TIMESTAMP": "1.5"},
        {"KALSHI-ACCESS-TIMESTAMP": ""},
    ],
)
async def test_broken_headers_are_refused(desk, signer, change):
    answer = await ask(desk, signer(desk.keys[0], desk.floor.clock.ms, "GET", BALANCE) | change)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "authentication_error"
    assert (await ask(desk, {})).status_code == 401


async def test_a_read_only_key_cannot_trade(desk, body_of):
    answer = await desk.call("POST", "/portfolio/events/orders", key=2, json=body_of())
    assert answer.status_code == 403
    assert "write::trade" in answer.json()["error"]["message"]
    assert desk.floor.bids() == []

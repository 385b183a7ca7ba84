"""API credentials: derived first, made once at most, kept where only their owner reads."""

from __future__ import annotations

import json
import random
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.config.secrets import KeyFileError
from core.domain.clock import Clocks
from core.venues.limiter import Limiter
from core.venues.polymarket.credentials import load, save
from core.venues.polymarket.l2 import Credentials
from core.venues.polymarket.login import LoginHttp, obtain
from core.venues.polymarket.sign import login_signature
from core.venues.venue import Incomplete
from tests.venues.conftest import START_MS
from tests.venues.polymarket.golden import ADDRESS, KEY, SECRET
from tests.venues.polymarket.scripted import BUCKETS, CREDENTIALS, dated
from tests.venues.scripted import Reply, Script, answer

Run = Callable[[Any], Any]
ADDS = "pmconsole key add-wallet FILE --profile live"
TRIPLE = {"apiKey": "0000-api-key", "secret": SECRET, "passphrase": "passphrase"}


def obtained(virtual: Run, clocks: Clocks, *replies: Reply) -> tuple[Any, list[httpx.Request]]:
    script = Script(*replies)

    async def main() -> Any:
        http = LoginHttp(
            "http://127.0.0.1:1",
            KEY,
            clocks=clocks,
            limiter=Limiter(clocks, BUCKETS),
            rng=random.Random(1),
            transports=lambda limits: script,
            on_anomaly=lambda what, detail: None,
        )
        return await obtain(http)

    return virtual(main()), script.requests


def test_a_known_wallet_derives_them(virtual: Run, virtual_clocks: Clocks) -> None:
    found, sent = obtained(virtual, virtual_clocks, answer(200, TRIPLE))
    assert found == CREDENTIALS
    assert [(r.method, r.url.path) for r in sent] == [("GET", "/auth/derive-api-key")]
    expected = {
        "POLY_ADDRESS": ADDRESS,
        "POLY_SIGNATURE": login_signature(KEY, START_MS // 1_000),
        "POLY_TIMESTAMP": str(START_MS // 1_000),
        "POLY_NONCE": "0",
    }
    assert {name: sent[0].headers[name] for name in expected} == expected


def test_a_login_refused_for_its_time_is_made_again_in_the_venues(
    virtual: Run, virtual_clocks: Clocks
) -> None:
    late_ms = START_MS + 90_000
    found, sent = obtained(
        virtual, virtual_clocks, dated(answer(401), late_ms), dated(answer(200, TRIPLE), late_ms)
    )
    assert found == CREDENTIALS and len(sent) == 2
    assert sent[1].headers["POLY_SIGNATURE"] == login_signature(KEY, int(sent[1].headers["POLY_TIMESTAMP"]))


@pytest.mark.parametrize("status", [400, 404])
def test_a_new_wallet_makes_them_once(virtual: Run, virtual_clocks: Clocks, status: int) -> None:
    unknown = answer(status, {"error": "Could not derive api key!"})
    found, sent = obtained(virtual, virtual_clocks, unknown, answer(200, TRIPLE))
    assert found == CREDENTIALS
    assert [(r.method, r.url.path) for r in sent][1:] == [("POST", "/auth/api-key")]


@pytest.mark.parametrize(
    "second", [answer(400, {"error": "Could not create api key"}), answer(500), httpx.ReadError("")]
)
def test_they_are_never_made_in_a_loop(virtual: Run, virtual_clocks: Clocks, second: Reply) -> None:
    found, sent = obtained(virtual, virtual_clocks, answer(404), second)
    assert isinstance(found, Incomplete) and [r.method for r in sent] == ["GET", "POST"]


@pytest.mark.parametrize("first", [answer(500), answer(403, b"<html>"), answer(401), httpx.ConnectError("")])
def test_a_venue_in_trouble_is_no_reason_to_make_them(
    virtual: Run, virtual_clocks: Clocks, first: Reply
) -> None:
    found, sent = obtained(virtual, virtual_clocks, first)
    assert isinstance(found, Incomplete) and {r.method for r in sent} <= {"GET"}


@pytest.mark.parametrize(
    "said",
    [
        {},
        [],
        {**TRIPLE, "secret": "not base64!"},
        {**TRIPLE, "apiKey": ""},
        {**TRIPLE, "passphrase": "a\nb"},
        b"x",
    ],
)
def test_an_answer_that_is_no_credentials_is_not_quoted(
    virtual: Run, virtual_clocks: Clocks, said: Any
) -> None:
    found, _ = obtained(virtual, virtual_clocks, answer(200, said))
    assert found == Incomplete("API key", "the venue's answer holds no usable credentials")


def test_they_are_kept_private_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "polymarket.json"
    save(path, CREDENTIALS)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load(path, CREDENTIALS.address, ADDS) == CREDENTIALS


def test_the_venues_own_spelling_is_read_as_the_wallets_that_is_named(tmp_path: Path) -> None:
    path = tmp_path / "polymarket.json"
    path.write_text(json.dumps(TRIPLE))
    path.chmod(0o600)
    assert load(path, ADDRESS, ADDS) == CREDENTIALS


def test_another_wallets_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "polymarket.json"
    save(path, CREDENTIALS)
    with pytest.raises(KeyFileError, match=f"find that one's again with {ADDS}") as refused:
        load(path, "0x" + "22" * 20, ADDS)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"apiKey":"k","secret":"!!","passphrase":"p"}'])
def test_a_spoilt_file_says_what_to_do_and_shows_nothing(tmp_path: Path, content: str) -> None:
    path = tmp_path / "polymarket.json"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(KeyFileError, match=f"find them again with {ADDS}") as refused:
        load(path, ADDRESS, ADDS)
    assert "!!" not in str(refused.value)


def test_a_file_that_is_gone_is_named_for_what_it_was(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match=rf"^the wallet's API key .*json does not exist: .* with {ADDS}$"):
        load(tmp_path / "polymarket.json", ADDRESS, ADDS)


def test_a_file_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "polymarket.json"
    save(path, Credentials(ADDRESS, "k", SECRET, "p"))
    path.chmod(0o644)
    with pytest.raises(KeyFileError, match="chmod 600"):
        load(path, ADDRESS, ADDS)

"""A whole examination: a healthy live profile can be armed by it, and each fault takes that away."""

from __future__ import annotations

import json
import random
import tomllib
from collections.abc import Callable
from email.utils import formatdate
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from core.config import paths
from core.config.drill import Drill, write_drill
from core.config.paths import Environment, Profile
from core.control.doctor.examine import examine
from core.control.doctor.findings import Report
from core.control.doctor.questions import Terminal
from core.control.examination import read_examination
from core.control.keys import Role, add, state
from core.domain.clock import SystemClock
from core.engine.arming import Arming, against, phrase_of
from core.risk.limits import LIMITS, Unit
from core.risk.limits_file import parse

KEY_ID, GUARD_ID = "11111111-aaaa", "22222222-bbbb"
CLOCK = SystemClock()
SEAT = Terminal("tmux-256color", 160, 45, True, 256)
MONEY = {spec.name: spec.default for spec in LIMITS if spec.unit is Unit.MONEY}
Answers = dict[str, tuple[int, Any]]

HEALTHY: Answers = {
    "/exchange/status": (200, {"exchange_active": True, "trading_active": True}),
    "/exchange/schedule": (200, {"schedule": {"standard_hours": [], "maintenance_windows": []}}),
    "/api_keys": (
        200,
        {
            "api_keys": [
                {"api_key_id": KEY_ID, "name": "desk", "scopes": ["read", "write::trade"]},
                {"api_key_id": GUARD_ID, "name": "guard", "scopes": ["read", "write::trade"]},
            ],
            "api_key_region_expiration_ts": 4_000_000_000,
        },
    ),
    "/account/limits": (
        200,
        {
            "usage_tier": "basic",
            "read": {"refill_rate": 200, "bucket_capacity": 400},
            "write": {"refill_rate": 100, "bucket_capacity": 100},
        },
    ),
    "/portfolio/balance": (
        200,
        {
            "balance": 50_000,
            "balance_dollars": "500.0000",
            "portfolio_value": 0,
            "updated_ts": 1,
            "balance_breakdown": [{"exchange_index": 0, "balance": "500.0000"}],
        },
    ),
    "/series/KXHIGHNY": (200, {"series": {"ticker": "KXHIGHNY", "exchange_index": 0}}),
}


def serving(answers: Answers) -> Callable[[httpx.Limits], httpx.AsyncBaseTransport]:
    def handle(request: httpx.Request) -> httpx.Response:
        assert request.method == "GET" and request.headers["kalshi-access-signature"]
        status, body = answers.get(request.url.path.removeprefix("/trade-api/v2"), (404, {"code": "none"}))
        return httpx.Response(status, json=body, headers={"date": formatdate(usegmt=True)})

    return lambda _: httpx.MockTransport(handle)


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Profile:
    """A profile in which everything is as it should be."""
    monkeypatch.setenv("PMCONSOLE_HOME", str(tmp_path))
    place = paths.profile("live")
    paths.prepare(place)
    for role, key_id in ((Role.TRADING, KEY_ID), (Role.WATCHDOG, GUARD_ID)):
        pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        add(place, role, pem, Path("made"), key_id, Environment.PRODUCTION)
    limits = "".join(f'{name} = "{value}"\n' for name, value in MONEY.items())
    place.config.write_text(f'[markets]\nseries = ["KXHIGHNY"]\n[limits]\n{limits}')
    write_drill(place.drill, Drill(CLOCK.wall_ms(), version("pmconsole"), True, "flat"))
    return place


async def report(place: Profile, answers: Answers = HEALTHY) -> Report:
    return await examine(place, CLOCK, random.Random(1), SEAT, serving(answers))


def arming(place: Profile) -> Arming:
    key = state(place, Role.TRADING)
    return Arming(
        phrase_of(place.name, [key.key_id]),
        version("pmconsole"),
        key.fingerprint,
        lambda: read_examination(place.doctor),
        place.command("doctor"),
    )


def digest(place: Profile) -> str:
    return parse(tomllib.loads(place.config.read_text())["limits"], str).digest()


async def test_a_healthy_profile_can_be_armed(live: Profile) -> None:
    found = await report(live)
    assert found.blocks == found.live == (), found.blocks
    assert against(arming(live), digest(live), CLOCK.wall_ms()) == ""
    alone = next(f for f in found.findings if f.check == "wallet")
    assert alone.said == "none was added: the desk trades at Kalshi alone"
    text = live.doctor.read_text()
    assert KEY_ID not in text and json.loads(text)["blocks"] == []


@pytest.mark.parametrize(
    ("path", "answer", "check"),
    [
        ("/exchange/status", (200, {"exchange_active": True, "trading_active": False}), "venue"),
        ("/exchange/status", (404, {}), "venue"),
        ("/api_keys", (403, {"error": {"code": "forbidden"}}), "trading key permissions"),
        ("/api_keys", (200, {"api_keys": []}), "trading key permissions"),
        ("/api_keys", (200, {"api_keys": "what"}), "trading key permissions"),
        ("/account/limits", (404, {}), "rate limits"),
        ("/portfolio/balance", (404, {}), "cash"),
        (
            "/portfolio/balance",
            (200, {**HEALTHY["/portfolio/balance"][1], "balance_dollars": "0.0000", "balance_breakdown": []}),
            "cash",
        ),
    ],
    ids=["paused", "silent", "forbidden", "unlisted", "garbled", "limits", "balance", "broke"],
)
async def test_each_answer_of_the_venue_can_block(live: Profile, path: str, answer: Any, check: str) -> None:
    found = await report(live, {**HEALTHY, path: answer})
    assert any(text.startswith(f"{check}:") for text in found.live), found.live
    assert "blocks it" in against(arming(live), digest(live), CLOCK.wall_ms())


async def test_missing_limits_keys_and_drill_block(live: Profile) -> None:
    live.config.write_text('[markets]\nseries = ["KXHIGHNY"]\n[limits]\nday_loss_max = "50"\n')
    live.drill.unlink()
    live.watchdog_key.unlink()
    found = await report(live)
    checks = {text.partition(":")[0] for text in found.live}
    assert checks == {"limits", "watchdog key", "drill"}
    assert any("day_loss_max" not in text and "total_loss_max" in text for text in found.live)


async def test_a_profile_without_key_or_with_a_broken_file_is_examined_all_the_same(live: Profile) -> None:
    live.config.write_text("[limits]\nday_loss_max = -1\n")
    live.trading_key.unlink()
    found = await report(live)
    assert {"configuration", "trading key", "venue"} <= {text.partition(":")[0] for text in found.live}
    assert sum("has no trading key" in text for text in found.live) == 1
    adds = "pmconsole key add FILE --key-id ID --made-at production --profile live"
    assert any(text.endswith(adds) for text in found.live)
    assert not live.doctor.exists()


async def test_another_profile_says_what_live_still_lacks(live: Profile) -> None:
    sandbox = paths.profile("kalshi-demo")
    found = await report(sandbox)
    assert any(text.startswith("trading key") for text in found.blocks)
    assert any("pmconsole doctor --profile live" in text for text in found.live)
    live.watchdog_key.unlink()
    assert any(text.startswith("watchdog key") for text in (await report(sandbox)).live)


async def test_it_says_that_nothing_is_fitted_where_temperatures_are_traded_and_only_there(
    live: Profile,
) -> None:
    def told(found: Report) -> list[str]:
        return [f"{one.said}: {one.remedy}" for one in found.findings if one.check == "weather models"]

    commands = "pmconsole models update --profile live, then pmconsole models fit --profile live"
    assert told(await report(live)) == [f"nothing is fitted yet: weather markets have no price: {commands}"]
    live.config.write_text(live.config.read_text().replace("KXHIGHNY", "KXINX"))
    assert told(await report(live)) == []

"""A demo's desk has both venues: an order at each, and no secret of the second where others read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.control.ready import read_ready
from core.domain.market import Venue
from tests.desk import rig
from tests.desk.rig import Desk, SecondVenue
from tests.desk.terminal import wait_for


@pytest.fixture
def demo() -> Iterator[Desk]:
    with rig.desk("demo") as made:
        yield made


def test_an_order_of_each_venue_is_there_and_the_wallets_secrets_are_in_no_record(demo: Desk) -> None:
    ready = read_ready(demo.place.sim_ready).polymarket
    assert ready is not None
    second = SecondVenue(ready)
    for venue in Venue:
        done = demo.approve(venue, seconds=40)
        assert done.code == 0, done.err
    assert {row["venue"]: row["state"] for row in demo.ask("status")["venues"]} == {
        "kalshi": "ok",
        "polymarket": "ok",
    }
    assert wait_for("order at Kalshi", 5, demo.venue.orders, poll_s=0.1)
    row = demo.happened("ORDER_INTENT", "highest-temperature-in-")
    assert row is not None and row.order_id.startswith("pm-")

    def theirs() -> list[dict[str, Any]]:
        """The order at the venue while it rests, its trades once somebody has met it."""
        return second.rows("/data/orders") or second.rows("/data/trades")

    assert wait_for("order at Polymarket", 5, theirs, poll_s=0.1)
    assert wait_for("its answer", 5, lambda: demo.happened("SEND_OUTCOME", "0x"))

    secrets = [second.wallet_key.removeprefix("0x"), second.credentials.secret, second.credentials.passphrase]
    command = Path(f"/proc/{demo.engine.pid}/cmdline").read_text()
    records = [demo.place.journals()[0], demo.place.engine_log, demo.home / "engine.log"]
    for text in (command, *(file.read_text("latin-1") for file in records)):
        assert not any(secret in text for secret in secrets)

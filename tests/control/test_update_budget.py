"""An update's calls beside the engine's: one count for both, by provider."""

from __future__ import annotations

import fcntl
import os
import threading
from datetime import UTC, datetime
from pathlib import Path

from core.control.budgets import Part, read_kept, write_kept
from core.control.models_alone import Spending
from core.domain.clock import REAL_WORLD, Clocks, SystemClock
from core.feeds.budget import Kept
from core.feeds.declaration import Per
from core.training.asks import Provider

CLOCKS = Clocks(SystemClock(), REAL_WORLD)


def spent(path: Path, part: Part, source: str) -> dict[Per, int]:
    return {one.per: one.spent for one in read_kept(path, "", part)[0].get(source, ())}


def test_what_the_engine_spent_at_the_same_provider_counts_and_each_writes_its_own(tmp_path: Path) -> None:
    path, today = tmp_path / "quotas.json", datetime.fromtimestamp(CLOCKS.world_ms() / 1000, UTC)
    day = f"{today:%Y-%m-%d}"
    write_kept(path, "", {"open-meteo": (Kept(Per.DAY, day, 4_000),)})
    budget = Spending(path, "", CLOCKS).budgets[Provider.OPEN_METEO]
    assert budget.wait_s(2_000) == 0.0 or budget.wait_s(2_000) < 3_600, "the short quotas alone"
    budget.spend(10)
    assert spent(path, Part.BESIDE, "open-meteo-past")[Per.DAY] == 10, "at once, before the call leaves"
    assert spent(path, Part.ENGINE, "open-meteo")[Per.DAY] == 4_000
    write_kept(path, "", {"open-meteo": (Kept(Per.DAY, day, 7_480),)})
    budget.spend(9)
    assert budget.wait_s(1) == 0.0 and budget.wait_s(2) > 0.0, "7,500 of 10,000 are an update's at most"
    assert Spending(path, "", CLOCKS).budgets[Provider.OPEN_METEO].wait_s(2) > 0.0, "after a restart, too"


def test_one_writer_waits_for_the_other(tmp_path: Path) -> None:
    """Each puts its part beside what it has read: the other's must not come between."""
    path = tmp_path / "quotas.json"
    writer = threading.Thread(target=write_kept, args=(path, "", {}))
    held = os.open(tmp_path, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        writer.start()
        writer.join(0.05)
        assert writer.is_alive() and not path.exists()
    finally:
        os.close(held)
    writer.join(10)
    assert path.exists()

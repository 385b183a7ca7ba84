"""The countdown to releases that move this desk's markets, in the first line of every screen."""

from __future__ import annotations

import msgspec
import pytest

from core.control.protocol import Frame
from core.control.tables.sources import ReleaseRow
from tests.tui import rows
from tui.lines import plain
from tui.release_words import release_chips
from tui.scene import Scene
from tui.tables import Now
from tui.view_model import ViewModel

NOW = Now(1_000 * rows.S, 1_700_000_000_000)
CPI = ReleaseRow("CPI", "clear", None, None, "stated", "bls", rows.WORLD_MS, "", 60, 120, 6)


def shown(
    state: str = "clear", *, next_s: float | None = None, last_s: float | None = None, markets: int = 6
) -> str:
    row = msgspec.structs.replace(
        CPI,
        state=state,
        markets=markets,
        next_world_ms=None if next_s is None else rows.WORLD_MS + int(next_s * 1000),
        last_world_ms=None if last_s is None else rows.WORLD_MS - int(last_s * 1000),
    )
    view = ViewModel()
    status = rows.status(NOW, session="me", releases=(row,))
    view.apply(Frame(1, NOW.mono_ns, full=True, status=status), NOW)
    return " ".join(plain(chip).strip() for _, chip in release_chips(Scene(view, NOW, 160)))


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"next_s": 3_601}, ""),
        ({"next_s": 3_600}, "CPI 60:00"),
        ({"next_s": 61}, "CPI 1:01"),
        ({"next_s": 45, "state": "BLACKOUT"}, "CPI  0:45"),
        ({"next_s": -3}, "CPI  +0:03"),  # before the engine has said that it is past
        ({"next_s": 900_000, "last_s": 119, "state": "BLACKOUT"}, "CPI  +1:59"),
        ({"next_s": 900_000, "last_s": 500, "state": "PENDING"}, "CPI PENDING"),
        ({"state": "UNKNOWN"}, "CPI NO DATES"),
        ({"next_s": 30, "state": "PENDING"}, "CPI  0:30"),
        ({"next_s": 30, "state": "BLACKOUT", "markets": 0}, ""),
    ],
)
def test_what_holds_entries_back_or_soon_does_is_counted(row: dict[str, object], words: str) -> None:
    assert shown(**row) == words  # type: ignore[arg-type]

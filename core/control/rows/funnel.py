"""The stages of the funnel."""

from __future__ import annotations

from core.control.tables.funnel import StageRow, StopRow
from core.engine.funnel import Level

EXAMPLES_MAX = 50
"""Markets named under one reason of the funnel."""


def stage_row(level: Level) -> StageRow:
    reasons = (StopRow(one.why, len(one.tickers), one.tickers[:EXAMPLES_MAX]) for one in level.reasons)
    return StageRow(level.stage.value, level.reached, level.here, tuple(reasons))

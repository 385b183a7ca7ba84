"""``pmconsole sim`` whose Open-Meteo has a new run at every question, its hours some degrees off the record,
now more, now less: the sky and the books stay as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.sim.feeds import open_meteo

NEARER_F, FARTHER_F = 0.2, 0.4
"""Both leave prices of several markets better than their books, and move them by cents."""
MODEL, VARIABLE = "gfs_seamless", "temperature_2m"
REPLICATED_S = 900
"""So long ago each run was out: its hours are complete, there is nothing to come back for."""


def main() -> None:
    honest_meta, honest_answer = open_meteo.meta, open_meteo._answer
    answered = 0

    def meta(weather: Any, now_ms: int, model: str) -> dict[str, Any]:
        told = honest_meta(weather, now_ms, model)
        return {**told, "last_run_availability_time": now_ms // 1000 - REPLICATED_S}

    def answer(weather: Any, query: Mapping[str, str], *given: Any, **named: Any) -> Any:
        nonlocal answered
        told = honest_answer(weather, query, *given, **named)
        if query.get("models") == MODEL and not named.get("leads"):
            answered += 1
            off_f = FARTHER_F if answered % 2 else NEARER_F
            hours = told["hourly"][VARIABLE]
            told["hourly"][VARIABLE] = [None if f is None else round(f + off_f, 1) for f in hours]
        return told

    open_meteo.meta, open_meteo._answer = meta, answer
    from tui.cli import main as cli

    cli()


if __name__ == "__main__":
    main()

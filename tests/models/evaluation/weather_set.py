"""A small weather set laid out as the real ones: two cities, one blend of three leads, one more source."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np

FIRST = dt.date(2023, 1, 1)
CITIES = ("AAA", "BBB")


def day(index: int) -> str:
    return (FIRST + dt.timedelta(index)).isoformat()


def write_leads(directory: Path, days: int = 420, seed: int = 1) -> Path:
    """City AAA has a second source at lead 1, better than the blend."""
    rng = np.random.default_rng(seed)
    folder = directory / "weather_lead_forecasts"
    folder.mkdir(parents=True)
    forecasts = ["city,day,issued,lead_days,tempmax_f,tempmin_f,cloudcover,precipprob"]
    observed, guidance = (
        ["city,day,tmax_obs_f,obs_source"],
        ["city,day,model,run_datetime_utc,peak_window_max_f"],
    )
    for city in CITIES:
        bias = 3.0 if city == "AAA" else -2.0
        for at in range(days):
            true = 65 - 20 * np.cos(2 * np.pi * at / 365.25) + rng.normal(0, 5)
            observed.append(f"{city},{day(at)},{round(true)},test")
            for lead in range(3):
                high = true + bias + rng.normal(0, 2 + lead)
                cells = (city, day(at), day(at - lead), lead, f"{high:.1f}", f"{high - 20:.1f}", "50.0", "")
                forecasts.append(",".join(map(str, cells)))
            if city == "AAA":
                run = f"{day(at - 1)} 12:00:00+00:00"
                guidance.append(f"{city},{day(at)},nbm,{run},{true - 1 + rng.normal(0, 1):.2f}")
    for name, lines in (("forecasts", forecasts), ("observed", observed), ("nbm_hrrr", guidance)):
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
    return folder

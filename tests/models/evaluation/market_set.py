"""A small set of daily-high markets beside the small weather set: the market knows more than the blend."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
from scipy.special import ndtr

from tests.models.evaluation.weather_set import day

HOURS = (-3, 3)
PRINTS = "series,day,ticker,hour_utc,last,last_age_min,ask,ask_age_min,bid,bid_age_min,vol_1h,vol_cum"


def write_markets(directory: Path, first: int, last: int, seed: int = 4, noise_f: float = 3.0) -> Path:
    """Six brackets of two degrees around a market's own forecast, prints fresh and one cent apart."""
    rng = np.random.default_rng(seed)
    folder = directory / "kalshi_high_markets"
    folder.mkdir(parents=True)
    settled = {}
    for line in (directory / "weather_lead_forecasts" / "observed.csv").read_text().splitlines()[1:]:
        city, of, high, _ = line.split(",")
        settled[city, of] = int(high)
    contracts, prints = ["series,day,ticker,lo,hi,settle_f,result,open_time,close_time,volume"], [PRINTS]
    for city in ("AAA", "BBB"):
        for at in range(first, last):
            high = settled[city, day(at)]
            centre = high + rng.normal(0, noise_f)
            start = round(centre) - 4
            edges = [-np.inf, *(start + 2 * k for k in range(5)), np.inf]
            for k in range(6):
                low, upper = edges[k], edges[k + 1] - 1
                ticker = f"KXHIGH{city}-{day(at)}-{k}"
                won = int(low <= high <= upper)
                contracts.append(f"KXHIGH{city},{day(at)},{ticker},{low},{upper},{high},{won},,,1")
                chance = ndtr((upper + 0.5 - centre) / noise_f) - ndtr((low - 0.5 - centre) / noise_f)
                cents = round(100 * float(chance))
                for hour in HOURS:
                    cells = (hour, cents, 9.0, min(100, cents + 1), 9.0, max(0, cents - 1), 9.0, 1, 1)
                    prints.append(f"KXHIGH{city},{day(at)},{ticker}," + ",".join(map(str, cells)))
    (folder / "markets.csv").write_text("\n".join(contracts) + "\n")
    (folder / "hourly_snapshots.csv.gz").write_bytes(gzip.compress(("\n".join(prints) + "\n").encode()))
    return folder

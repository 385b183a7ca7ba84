"""Made-up histories: a climate with seasons, sources that are wrong in their own ways, and what became."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from core.domain.market import Extreme
from core.training.archive import SETTLED, Key
from core.training.asks import LEADS
from core.training.guidance import LEADS as GUIDANCE_LEADS
from core.training.guidance import MODEL
from core.training.previous_runs import MODELS

FIRST = date(2025, 6, 1)


def history(seed: int, days: int, first: date = FIRST) -> dict[Key, float | None]:
    """Every figure of so many days; the error of a forecast grows by 1 F a day of lead."""
    rng = np.random.default_rng(seed)
    found: dict[Key, float | None] = {}
    for index in range(days):
        day = first + timedelta(days=index)
        season = np.cos(2 * np.pi * (day.timetuple().tm_yday - 15) / 365.25)
        for extreme, level in ((Extreme.HIGH, 65.0), (Extreme.LOW, 48.0)):
            became = round(level - 20 * season + float(rng.normal(0, 6)))
            found[Key(day.isoformat(), extreme, None, SETTLED)] = float(became)
            unknown = rng.normal(0, 1.5 + np.arange(4))
            for source, bias in zip((*MODELS, MODEL), (1.5, -1.0, -2.0, -1.5, 0.5, 0.0), strict=True):
                for lead in LEADS if source != MODEL else GUIDANCE_LEADS:
                    own = float(rng.normal(0, 1.0))
                    told = became + bias + seed % 3 + float(unknown[lead]) + own
                    found[Key(day.isoformat(), extreme, lead, source)] = round(told, 1)
    return found

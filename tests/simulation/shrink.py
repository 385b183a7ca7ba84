"""A failing run made small: fault kinds dropped and time cut while the same promise still breaks."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from tests.simulation.run import WHIMS, Result, Script, run

SECONDS_MIN = 5


def shrink(script: Script, tell: Callable[[str], None], attempt: Callable[[Script], Result] = run) -> Script:
    """The smallest run found that breaks the same point; the script itself where none is smaller."""
    first = attempt(script)
    if first.broken is None:
        return script
    point, best, shrunk = first.broken.point, script, True
    while shrunk:
        shrunk = False
        for smaller in _smaller(best, attempt(best)):
            found = attempt(smaller).broken
            if found is not None and found.point == point:
                tell(f"still breaks {point} with {smaller}")
                best, shrunk = smaller, True
                break
    return best


def _smaller(script: Script, result: Result) -> Iterator[Script]:
    """What might still break it, the boldest cut first."""
    if script.kills:
        yield msgspec.structs.replace(script, kills=False)
    for seconds in (script.length_s // 2, script.length_s * 3 // 4):
        if seconds >= SECONDS_MIN:
            yield msgspec.structs.replace(script, active_s=seconds)
    if WHIMS not in script.without:
        yield msgspec.structs.replace(script, without=(*script.without, WHIMS))
    for name in sorted(result.faults, key=lambda name: result.faults[name]):
        yield msgspec.structs.replace(script, without=(*script.without, name))

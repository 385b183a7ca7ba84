"""A changed forecast's way to the operator: from the last byte of the answer at the engine's socket until
the changed fair value, and the changed card, stand in what the console wrote to its pty.

Real processes, one monotonic clock. The simulated Open-Meteo has another forecast at every question and the
books stand still. A relay before it notes when each answer left for the engine; what the console writes is
stamped as it is read, and drawn afterwards, chunk by chunk, to see with which one a figure changed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import httpx

from tests.bench.harness import percentile
from tests.bench.relay import Relay
from tests.bench.swinging_sim import MODEL
from tests.desk.rig import Desk, desk
from tests.desk.terminal import Chunk, Emulator, wait_for

SOURCE = "open-meteo"
SPEED = 1.6
"""World seconds a second: a question every 1.25 s, for a card changes once a second at most."""
CONFIG = f"""
[markets]
series = ["KXHIGHNY"]
[feeds.{SOURCE}]
follows = ["{MODEL}"]
every_s = 2
"""
COLUMNS, ROWS = 160, 45
CARDLESS = 0.5
"""So much longer than the changes asked for a run goes on: cards expire, and some changes find none."""
MOVED_CENTS = 0.3
"""A forecast moves some figure by more, the time that passes meanwhile none."""
_ROW = re.compile(r"([KP] NYC hi \S+ \S+) +(.*)")
_FAIR = re.compile(r"\d+\.\d")
_FAIR_COLUMN = 4
_CARD = re.compile(r"DEMO ((?:KAL|POLY) +NYC hi .*?BUY (?:YES|NO)).*? fair (\d+\.\d)c", re.DOTALL)

Figures = dict[str, float]
"""Cents by what they are the fair value of."""


class Shown(NamedTuple):
    """What a screen says of fair values: in the table of markets, and on the card."""

    markets: Figures
    card: Figures


class Seen(NamedTuple):
    """Milliseconds until a changed forecast was on the screen; ``None``: not before the next one."""

    fair: float | None
    card: float | None
    had_card: bool


def report(changes: int) -> str:
    """Of the first so many changes, and of the first so many that found a card on the screen."""
    relay = Relay()
    with desk(
        "quiet",
        speed=SPEED,
        config=CONFIG,
        sim_module="tests.bench.swinging_sim",
        between=lambda running: _put(relay, running),
    ) as running:
        console = running.console(COLUMNS, ROWS)
        try:
            console.wait("DEMO +(KAL|POLY)")
            begin, wanted = len(relay.answers), int(changes * (1 + CARDLESS))
            wait_for("changes", 3.0 * wanted, lambda: len(_forecasts(relay, begin)) > wanted, poll_s=1.0)
        finally:
            console.close()
    seen = measure(_forecasts(relay, begin), console.chunks)
    return "\n".join(
        (
            _line("changed fair value", [one.fair for one in seen][:changes]),
            _line("changed card", [one.card for one in seen if one.had_card][:changes]),
        )
    )


def _put(relay: Relay, running: Desk) -> None:
    """Between the simulated source and the engine that is about to read where it is."""
    ready = json.loads(running.place.sim_ready.read_text())
    addresses = ready["feeds"]["sources"][SOURCE]
    url = httpx.URL(addresses["api"])
    relay.behind = (url.host, url.port or 80)
    addresses["api"] = str(url.copy_with(port=relay.port))
    running.place.sim_ready.write_text(json.dumps(ready))


def _forecasts(relay: Relay, begin: int) -> list[int]:
    """When the answers left that had a forecast in them."""
    return [answer.at_ns for answer in relay.answers[begin:] if "/v1/forecast" in answer.target]


def measure(changed_ns: Sequence[int], chunks: Iterable[Chunk]) -> list[Seen]:
    """What became of each change before the next one; the last has none and ends the last but one."""
    emulator, seen = Emulator(COLUMNS, ROWS), list[Seen]()
    rest = iter(chunks)
    chunk = next(rest, None)
    for at_ns, next_ns in pairwise(changed_ns):
        while chunk is not None and chunk.at_ns < at_ns:
            emulator.draw(chunk.data)
            chunk = next(rest, None)
        before = _read(emulator)
        fair = card = None
        while chunk is not None and chunk.at_ns < next_ns and (fair is None or card is None):
            emulator.draw(chunk.data)
            now, took_ms = _read(emulator), (chunk.at_ns - at_ns) / 1e6
            fair = took_ms if fair is None and _moved(before.markets, now.markets) else fair
            card = took_ms if card is None and _moved(before.card, now.card) else card
            chunk = next(rest, None)
        seen.append(Seen(fair, card, bool(before.card)))
    return seen


def _read(emulator: Emulator) -> Shown:
    markets: Figures = {}
    text = emulator.text()
    for market, rest in _ROW.findall(text):
        cells = rest.split()
        if len(cells) > _FAIR_COLUMN and _FAIR.fullmatch(cells[_FAIR_COLUMN]):
            markets[market] = float(cells[_FAIR_COLUMN])
    return Shown(markets, {what: float(cents) for what, cents in _CARD.findall(text)})


def _moved(before: Figures, now: Figures) -> bool:
    return any(abs(now[of] - cents) >= MOVED_CENTS for of, cents in before.items() if of in now)


def _line(what: str, times: Sequence[float | None]) -> str:
    took = [time for time in times if time is not None]
    if not took:
        raise RuntimeError(f"no {what} was seen in {len(times)} changes")
    return (
        f"forecast at the engine's socket to the {what} on the pty at {COLUMNS}x{ROWS}: "
        f"p50 {percentile(took, 0.5):.0f} ms, p99 {percentile(took, 0.99):.0f} ms, max {max(took):.0f} ms, "
        f"{len(took)} of {len(times)} changes seen"
    )

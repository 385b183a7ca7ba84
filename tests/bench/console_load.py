"""A console on a thousand live rows: CPU, keys, and bytes to the terminal before and after compression."""

from __future__ import annotations

import os
import time
import zlib
from pathlib import Path
from typing import NamedTuple

from core.domain.clock import machine_ns
from tests.bench.fake_desk import fake_desk
from tests.bench.harness import percentile
from tests.bench.stamped_console import STAMP
from tests.desk.rig import PYTHON, Desk, cpu_seconds
from tests.desk.terminal import Terminal, wait_for

MARKETS, SHARE, HZ = 1000, 0.2, 10.0
KEYS_A_SECOND = 8.0


class Load(NamedTuple):
    """What one console took over some seconds."""

    cpu: float
    raw_kb_s: float
    packed_kb_s: float
    keys_ms: list[float]


def report(seconds: float = 20.0) -> str:
    """The busy desk at its fastest, then the smallest terminal with little bandwidth."""
    with fake_desk(MARKETS, SHARE, HZ, config="[console]\nrepaint_hz = 10\n") as home:
        busy = _measure(home, 200, 60, seconds, ["--theme", "dark"], screen=b"2")
        slow = _measure(home, 80, 24, seconds, ["--low-bandwidth"], env={"COLORTERM": ""})
        mono = _measure(home, 80, 24, seconds, ["--low-bandwidth", "--theme", "mono"], env={"COLORTERM": ""})
    keys = busy.keys_ms
    return (
        f"console on {MARKETS} rows, {SHARE:.0%} changed {HZ:g} times a second, 200x60, 10 paints/s: "
        f"{busy.cpu:.1%} of a core, {busy.raw_kb_s:.1f} kB/s raw, {busy.packed_kb_s:.1f} kB/s compressed, "
        f"key to handled p50 {percentile(keys, 0.5):.1f} ms, p99 {percentile(keys, 0.99):.1f} ms "
        f"of {len(keys)}\n"
        f"the same at 80x24 with --low-bandwidth: 256 colours {slow.raw_kb_s:.1f} kB/s raw, "
        f"{slow.cpu:.1%} of a core; mono {mono.raw_kb_s:.1f} kB/s raw"
    )


def _measure(
    home: Desk,
    columns: int,
    lines: int,
    seconds: float,
    options: list[str],
    *,
    screen: bytes = b"",
    env: dict[str, str] | None = None,
) -> Load:
    stamps = home.home / "keys"
    stamps.unlink(missing_ok=True)
    argv = [PYTHON, "-m", "tests.bench.stamped_console", "attach", *options]
    console = Terminal(argv, home.env | (env or {}), columns, lines)
    try:
        console.wait("MARKETS 1,?0")
        if screen:
            console.press(screen)
        time.sleep(3)  # what the start made has settled
        first, seen = len(console.chunks), stamps.stat().st_size if stamps.exists() else 0
        cpu, begun = cpu_seconds(console.process.pid), time.monotonic()
        pressed = _press_for(console, seconds) if screen else _wait(seconds)
        elapsed = time.monotonic() - begun
        cpu = cpu_seconds(console.process.pid) - cpu
        chunks = [chunk.data for chunk in console.chunks[first:]]
        wait_for("keys", 5, lambda: not pressed or _handled(stamps, seen) >= len(pressed))
        return Load(
            cpu / elapsed,
            sum(map(len, chunks)) / elapsed / 1000,
            _packed(chunks) / elapsed / 1000,
            [(done - begun_ns) / 1e6 for begun_ns, done in zip(pressed, _stamps(stamps, seen), strict=False)],
        )
    finally:
        console.close()


def _press_for(console: Terminal, seconds: float) -> list[int]:
    """Move the cursor up and down; when each key was written."""
    pressed: list[int] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pressed.append(machine_ns())
        os.write(console.master, b"jk"[len(pressed) % 2 :][:1])
        time.sleep(1 / KEYS_A_SECOND)
    return pressed


def _wait(seconds: float) -> list[int]:
    time.sleep(seconds)
    return []


def _stamps(path: Path, after: int) -> list[int]:
    return [moment for (moment,) in STAMP.iter_unpack(path.read_bytes()[after:])]


def _handled(path: Path, after: int) -> int:
    return len(_stamps(path, after))


def _packed(chunks: list[bytes]) -> int:
    """Bytes as ``ssh -C`` would send them: compressed in one stream, flushed with every write."""
    squeeze = zlib.compressobj(6)
    return sum(len(squeeze.compress(data)) + len(squeeze.flush(zlib.Z_SYNC_FLUSH)) for data in chunks)

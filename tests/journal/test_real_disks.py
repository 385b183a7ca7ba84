"""Disks that really fail: one that is full, and one whose sync fails once.

Needs what not every machine grants (a small file system of one's own, a C compiler); skips by name.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core.domain.clock import SystemClock
from core.journal.files import read_rows, verify
from core.journal.opening import Identity
from core.journal.store import Durability, open_journal

HERE = Path(__file__).resolve().parents[2]

WRITER = """
import asyncio, json, sys
from pathlib import Path
from core.domain.clock import SystemClock
from core.journal import reserve, writer
from core.journal.events import Event, Kind
from core.journal.opening import Identity
from core.journal.store import Durability, open_journal

reserve.RESERVE_BYTES, reserve.SPARE_BYTES = 2 << 20, 1 << 20
writer.CHECKPOINT_BYTES = 1 << 20
folder, told = Path(sys.argv[1]), {"faults": [], "durable": [], "spilled": []}

def opened(run):
    return open_journal(folder / "j.db", Identity("w", "live", "0", "b", run), SystemClock(),
                        durability=Durability.FULL,
                        on_fault=lambda fault: told["faults"].append([fault.reason, fault.goes_on]))

async def keep(journal, kind, text):
    seq = journal.append(Event(kind, {"text": text}))
    if await journal.durable(seq):
        told["durable"].append(text)
    elif await journal.spilled(seq):
        told["spilled"].append(text)

async def main():
    journal = opened("a")
    await scenario(journal)
    await journal.close()
    print(json.dumps(told))
"""

FULL_DISK = (
    WRITER
    + """
import os, subprocess

async def scenario(journal):
    told["reserve"] = journal.reserve_ready
    await keep(journal, Kind.HALT, "before")
    filler = os.open(folder / "filler", os.O_WRONLY | os.O_CREAT)
    for size in (1 << 20, 1 << 16, 1 << 12):
        try:
            while True:
                os.write(filler, b"x" * size)
        except OSError:
            pass
    os.close(filler)
    for n in range(int(sys.argv[2])):
        await keep(journal, Kind.ORDER_INTENT, f"intent {n} " + "x" * 60_000)
    await keep(journal, Kind.HALT, "halted")
    await keep(journal, Kind.CANCEL_SENT, "cancelled")

subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(folder)], check=True)
asyncio.run(main())
from core.journal.files import read_rows, verify
(folder / "filler").unlink()

async def again():
    journal = opened("b")
    await journal.close()

asyncio.run(again())
report = verify(folder / "j.db")
texts = [row.data()["text"][:12].strip() for row in read_rows(folder / "j.db")]
print(json.dumps({"sound": report.sound, "texts": texts}))
"""
)


def run(script: str, *arguments: str, wrap: tuple[str, ...] = (), **environment: str) -> list[dict[str, Any]]:
    done = subprocess.run(
        [*wrap, sys.executable, "-c", script, *arguments],
        cwd=HERE,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def own_mounts() -> tuple[str, ...]:
    """Runs a process that may mount a small disk nobody else sees."""
    wrap = ("unshare", "--user", "--map-root-user", "--mount")
    if shutil.which("unshare") is None or subprocess.run([*wrap, "true"], capture_output=True).returncode:
        pytest.skip("this machine lets no test mount a disk of its own")
    return wrap


@pytest.mark.parametrize("intents", [3, 80])
def test_a_full_disk_takes_the_halt_and_the_cancels(
    tmp_path: Path, own_mounts: tuple[str, ...], intents: int
) -> None:
    """3 intents still fit into the reserve; 80 fill that too, and the spill log takes over."""
    told, after = run(FULL_DISK, str(tmp_path), str(intents), wrap=own_mounts)
    assert told["reserve"] is True
    reasons = [(reason.split(":")[0].split(" (")[0], goes_on) for reason, goes_on in told["faults"]]
    kept = [text[:12].strip() for text in told["durable"] + told["spilled"]]
    assert {"before", "halted", "cancelled"} <= set(kept)
    assert after["sound"] and set(kept) <= set(after["texts"])
    if intents == 3:
        assert reasons == [("the disk is full", True)]
        assert "halted" in told["durable"] and not told["spilled"]
    else:
        assert reasons == [("the disk is full", True), ("the journal cannot be written", False)]
        assert "halted" in told["spilled"]


SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Fails the next sync of the write-ahead log once, when the file named by FAIL_ONCE is there. */
static int fails(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 4) return 0;
    path[length] = 0;
    return !strcmp(path + length - 4, "-wal") && !unlink(getenv("FAIL_ONCE"));
}
int fdatasync(int fd) {
    if (fails(fd)) { errno = EIO; return -1; }
    return ((int (*)(int)) dlsym(RTLD_NEXT, "fdatasync"))(fd);
}
int fsync(int fd) {
    if (fails(fd)) { errno = EIO; return -1; }
    return ((int (*)(int)) dlsym(RTLD_NEXT, "fsync"))(fd);
}
"""

FAILING_SYNC = (
    WRITER
    + """
async def scenario(journal):
    await keep(journal, Kind.HALT, "before")
    Path(sys.argv[2]).touch()
    await keep(journal, Kind.ORDER_INTENT, "an entry")
    assert not Path(sys.argv[2]).exists(), "the sync did fail"
    await keep(journal, Kind.HALT, "halted")
    await keep(journal, Kind.CANCEL_SENT, "cancelled")

asyncio.run(main())
"""
)


def test_a_sync_that_fails_once_poisons_the_journal(tmp_path: Path) -> None:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler to build the failing disk with")
    source, shim, flag = tmp_path / "shim.c", tmp_path / "shim.so", tmp_path / "fail-once"
    source.write_text(SHIM)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", shim, source, "-ldl"], check=True)
    folder = tmp_path / "desk"
    folder.mkdir()
    (told,) = run(FAILING_SYNC, str(folder), str(flag), LD_PRELOAD=str(shim), FAIL_ONCE=str(flag))
    assert told["faults"] == [["the journal cannot be written: disk I/O error", False]]
    assert told["durable"] == ["before"]
    assert told["spilled"] == ["an entry", "halted", "cancelled"]

    async def again() -> None:
        await open_journal(
            folder / "j.db",
            Identity("w", "live", "0", "b", "b"),
            SystemClock(),
            durability=Durability.FULL,
            on_fault=lambda fault: None,
        ).close()

    asyncio.run(again())
    texts = [str(row.data()["text"]) for row in read_rows(folder / "j.db")]
    assert [t for t in texts if "spill log" not in t] == ["before", "an entry", "halted", "cancelled"]
    assert verify(folder / "j.db").sound

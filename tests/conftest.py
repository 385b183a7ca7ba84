"""Fixtures every room may use."""

from __future__ import annotations

import compileall
import contextlib
import gc
import importlib
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# Small matrices: threads of the linear algebra library wait for each other longer than they work. Read when
# numpy is loaded, and by the processes that tests start.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Compiled once and not by every worker and every process that tests start, whatever the environment wishes.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# How long one example takes says how busy the machine is, and nothing about what is claimed.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

DESKS = ("tests/desk/", "tests/control/test_process.py", "tests/cli/test_front_door.py")
"""Whole desks of real processes, which wait most of their time and may not be kept waiting: one at a time."""

CHECKOUT = Path(__file__).resolve().parents[1]
SHARED = CHECKOUT.parent / "shared"


@pytest.fixture
def shared() -> Path:
    """The folder of recorded data and specifications beside the checkout; skips where it is missing."""
    if not SHARED.is_dir():
        pytest.skip("recorded data beside the checkout (../shared) is missing")
    return SHARED


class _Unobserved(logging.Handler):
    """What asyncio can only log: exceptions nobody asked for, tasks and callbacks that broke alone."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())

    def take(self) -> list[str]:
        said, self.said = self.said, []
        return said


_unobserved = _Unobserved()


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: the worker that plays desks mostly waits."""
    return (os.cpu_count() or 1) + 1


def pytest_collection() -> None:
    """Every worker reads every test: in a fresh checkout each compiles its share first and reads the rest."""
    gc.disable()  # what is collected stays
    worker, count = os.environ.get("PYTEST_XDIST_WORKER"), os.environ.get("PYTEST_XDIST_WORKER_COUNT")
    if worker is None or count is None:
        return
    share = slice(int(worker.removeprefix("gw")), None, int(count))
    for file in sorted(path for room in ("core", "tui") for path in (CHECKOUT / room).rglob("*.py"))[share]:
        compileall.compile_file(file, quiet=2)
    for file in sorted((CHECKOUT / "tests").rglob("test_*.py"))[share]:
        # Whatever keeps a module from being read is said where it is collected.
        with contextlib.suppress(Exception, pytest.skip.Exception):
            importlib.import_module(".".join(file.relative_to(CHECKOUT).with_suffix("").parts))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each file stays with one worker, and all whole desks with one."""
    for item in items:
        file = item.nodeid.partition("::")[0]
        item.add_marker(pytest.mark.xdist_group("desks" if file.startswith(DESKS) else file))


def pytest_collection_finish() -> None:
    gc.freeze()  # and is not looked through again and again
    gc.enable()


def pytest_configure() -> None:
    logging.getLogger("asyncio").addHandler(_unobserved)


@pytest.fixture(autouse=True)
def _nothing_unobserved() -> Iterator[None]:
    """Fails the test under which an unobserved fault comes to light."""
    yield
    said = _unobserved.take()
    assert not said, f"asyncio had to log: {said}"


def pytest_sessionfinish(session: pytest.Session) -> None:
    """What only the last collection finds has no test any more; it fails the run."""
    gc.collect()
    for said in _unobserved.take():
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        print(f"\nunobserved at the end of the run: {said}")

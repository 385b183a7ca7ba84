"""Worker processes for many runs, which end when the process that wants their results is gone."""

from __future__ import annotations

import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor


def workers(jobs: int) -> ProcessPoolExecutor:
    """A pool whose workers do not outlive this process, however it ends."""
    return ProcessPoolExecutor(jobs, initializer=_end_with_parent)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None, "a worker has a parent"

    def wait() -> None:
        parent.join()
        os._exit(1)  # a worker in the middle of a run hears no exception of another thread

    threading.Thread(target=wait, name="end with the parent", daemon=True).start()

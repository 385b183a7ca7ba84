"""What the process does when it is signalled."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Callable, Iterator

from core.engine.engine import Engine
from core.engine.operator import ENGINE

_log = logging.getLogger(__name__)


@contextlib.contextmanager
def handled(loop: asyncio.AbstractEventLoop, engine: Engine) -> Iterator[None]:
    """Stop on SIGTERM and SIGINT, halt on SIGUSR1, and note a hangup: there is no terminal to lose."""
    handlers: dict[signal.Signals, Callable[[], object]] = {
        signal.SIGTERM: lambda: engine.stop("SIGTERM", ENGINE),
        signal.SIGINT: lambda: engine.stop("SIGINT", ENGINE),
        signal.SIGUSR1: lambda: engine.halt("SIGUSR1", ENGINE),
        signal.SIGHUP: lambda: _log.info("SIGHUP ignored"),
    }
    for number, handler in handlers.items():
        loop.add_signal_handler(number, handler)
    try:
        yield
    finally:
        for number in handlers:
            loop.remove_signal_handler(number)

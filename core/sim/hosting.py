"""What serving on loopback takes: sockets, servers that share a process, signals, private files."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import uvicorn

LOOPBACK = "127.0.0.1"


class SimError(Exception):
    """SIM cannot start; the text says why and what to do."""


class Server(uvicorn.Server):
    """Several servers share a process: signals are the process's business, not theirs."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    @contextlib.contextmanager
    def capturesignals(self) -> Iterator[None]:
        yield


def bind(port: int, option: str) -> socket.socket:
    # With the protocol named, asyncio turns Nagle's wait off on every accepted connection.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((LOOPBACK, port))
        bound.listen(128)
    except (OSError, OverflowError) as error:
        bound.close()
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            raise SimError(f"port {port} is in use: give {option} another, or 0 for a free one") from error
        raise SimError(f"cannot listen on port {port} ({option}): {error}") from error
    return bound


@contextlib.contextmanager
def keys_folder(wanted: Path | None) -> Iterator[Path]:
    """The folder for private keys, readable by its owner only."""
    try:
        if wanted is None:
            folder = Path(tempfile.mkdtemp(prefix="pmconsole-sim-"))
        else:
            folder = wanted
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SimError(f"cannot keep keys in {wanted}: {error.strerror}") from error
    try:
        yield folder
    finally:
        if wanted is None:
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def signals(stop: Callable[[], None]) -> Iterator[None]:
    loop, caught = asyncio.get_running_loop(), (signal.SIGTERM, signal.SIGINT)
    for number in caught:
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in caught:
            loop.remove_signal_handler(number)


def write_private(path: Path, text: str) -> None:
    """Write a whole file at once, readable by its owner only."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        part.replace(path)
    except OSError as error:
        raise SimError(f"cannot write {path}: {error.strerror}") from error

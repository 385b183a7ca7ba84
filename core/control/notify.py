"""Telling the service manager that this process lives, over the socket it names in the environment.

The protocol is sd_notify's: one datagram of ``KEY=VALUE`` lines to ``NOTIFY_SOCKET``, a leading ``@``
for an abstract name. Without that variable every call does nothing.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Mapping

EVERY_S = 1.0


class Notifier:
    """``every_s``: how often ``WATCHDOG=1`` has to be said, half of what the manager allows."""

    def __init__(self, address: str = "", every_s: float = EVERY_S) -> None:
        self.every_s = every_s
        self._address = address

    def say(self, state: str) -> None:
        """A manager that does not listen, or not fast enough, must not disturb who tells it."""
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as speaking:
            speaking.setblocking(False)
            try:
                speaking.sendto(state.encode(), self._address)
            except OSError:
                return

    async def keep_telling(self) -> None:
        """From the process's own loop: a loop that hangs says nothing, and the manager ends it."""
        while True:
            self.say("WATCHDOG=1")
            await asyncio.sleep(self.every_s)


def notifier(environment: Mapping[str, str]) -> Notifier:
    """From the manager's variables; they are meant for this process alone."""
    address = environment.get("NOTIFY_SOCKET", "")
    if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return Notifier(_name(address))
    allowed_us = environment.get("WATCHDOG_USEC", "")
    every_s = int(allowed_us) / 2e6 if allowed_us.isdecimal() and int(allowed_us) else EVERY_S
    return Notifier(_name(address), min(every_s, EVERY_S))


def _name(address: str) -> str:
    return f"\0{address[1:]}" if address.startswith("@") else address

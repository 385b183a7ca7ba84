"""The terminal driver: the stop key is seen in the input thread, before the event loop is involved.

A terminal that does not read, or a console that is busy, blocks Textual's loop; byte 0x18 outside a
bracketed paste is therefore acted on where it is read. Input may be malformed: nothing in it may end
the thread, and a paste that is never closed must not hide the stop key.
"""

from __future__ import annotations

import os
import selectors
import time
from codecs import getincrementaldecoder
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from textual import events
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

if TYPE_CHECKING:
    from textual.app import App

STOP_BYTE = 0x18
PASTE_START = b"\x1b[200~"
PASTE_END = b"\x1b[201~"
PASTE_PAUSE_S = 0.5
"""A paste arrives in one burst; after this long without input it is over, closed or not."""
FROZEN_S = 0.7
"""If the thread was away for longer than this, what it reads was typed at an older picture."""
_POLL_S = 0.1
_READ_BYTES = 4096


class StopScanner:
    """Splits raw input into stop presses and the rest, aware of bracketed pastes across reads."""

    def __init__(self) -> None:
        self.pasting = False
        self._tail = b""

    def feed(self, data: bytes) -> tuple[int, bytes]:
        """Number of stop bytes outside pastes, and the data without them."""
        stops = 0
        kept = bytearray()
        for byte in data:
            self._tail = (self._tail + bytes((byte,)))[-len(PASTE_START) :]
            if byte == STOP_BYTE and not self.pasting:
                stops += 1
                continue
            kept.append(byte)
            if self._tail == PASTE_START:
                self.pasting = True
            elif self._tail == PASTE_END:
                self.pasting = False
        return stops, bytes(kept)

    def end_paste(self) -> None:
        self.pasting = False
        self._tail = b""


class StopApp(Protocol):
    """What the driver needs of its app."""

    stop_pressed: Callable[[], bool]
    """Writes the stop command from this thread; must not wait for the event loop."""
    terminal_gone: Callable[[], None]
    """The terminal was closed; called in the event loop."""


class StopDriver(LinuxDriver):
    """Textual's Linux driver with the stop key in front and without its intolerance of bad input."""

    def __init__(
        self,
        app: App[Any],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._stop_app: StopApp = app  # type: ignore[assignment]  # only PmConsole uses this driver

    def run_input_thread(self) -> None:
        """Read, look for the stop key, then parse the rest; ends with the terminal or the console."""
        scanner, parser = StopScanner(), XTermParser(self._debug)
        decoder = getincrementaldecoder("utf-8")("replace")
        quiet_since = time.monotonic()
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                asked = time.monotonic()
                ready = selector.select(_POLL_S)
                now = time.monotonic()
                if not ready:
                    if scanner.pasting and now - quiet_since > PASTE_PAUSE_S:
                        scanner.end_paste()
                        parser = self._parse(parser, PASTE_END.decode())
                    self._tick(parser)
                    continue
                quiet_since = now
                try:
                    data = os.read(self.fileno, _READ_BYTES)
                except OSError:
                    data = b""
                if not data:
                    self._loop.call_soon_threadsafe(self._stop_app.terminal_gone)
                    return
                stops, rest = scanner.feed(data)
                if stops:
                    self._stop_app.stop_pressed()
                    self.process_message(events.Key("ctrl+x", "\x18"))
                if now - asked < _POLL_S + FROZEN_S:
                    parser = self._parse(parser, decoder.decode(rest))

    def _parse(self, parser: XTermParser, text: str) -> XTermParser:
        """Feed the parser; after input it cannot take, go on with a new one."""
        try:
            for event in parser.feed(text):
                self.process_message(event)
            self._tick(parser)
        except Exception:  # noqa: BLE001  whatever bad input does to the parser, keys must go on working
            return XTermParser(self._debug)
        return parser

    def _tick(self, parser: XTermParser) -> None:
        for event in parser.tick():
            self.process_message(event)

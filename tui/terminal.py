"""The terminal driver: the stop key is seen in the input thread, before the event loop is involved.

A terminal that does not read, or a console that is busy, blocks Textual's loop; the stop key is therefore
acted on where it is read (``tui.typed_bytes``). Nothing in the input may end the thread, and a paste that is
never closed must not hide the stop key.
"""

from __future__ import annotations

import os
import selectors
import termios
import time
from codecs import getincrementaldecoder
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from textual import events
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

from tui.outflow import Outflow
from tui.typed_bytes import SequenceFilter, StopScanner

if TYPE_CHECKING:
    from textual.app import App

TITLE_KEPT, TITLE_BACK = "\x1b[22;0t", "\x1b[23;0t"
"""The terminal keeps its window's title aside, and puts it back."""
PASTE_PAUSE_S = 0.5
"""A paste arrives in one burst; after this long without input it is over, closed or not."""
PASTE_MAX_S = 1.5
"""For no longer than this a paste hides the stop key, even if it goes on."""
FROZEN_S = 0.7
"""If the thread was away for longer than this, what it reads was typed at an older picture."""
LAST_ANSWER_S = 0.5
_POLL_S = 0.1
_ESCAPE_POLL_S = 0.03
_READ_BYTES = 4096


class StopApp(Protocol):
    """What the driver needs of its app."""

    stop_pressed: Callable[[], bool]
    """Writes the stop command from this thread; must not wait for the event loop."""
    stop_bytes: frozenset[int]
    """What is the stop key, in a byte: Ctrl-X and whatever the keymap adds."""
    terminal_gone: Callable[[], None]
    """The terminal was closed; called in the event loop."""
    failed: Callable[[Exception], None]
    """The input thread cannot go on; called in the event loop."""
    draw_again: Callable[[], None]
    """Nothing of the picture stands any more; called in the event loop."""


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
        assert self._file is not None
        self.outflow = Outflow(self._file)
        self._file = self.outflow  # type: ignore[assignment]  # as much of a file as the writer thread uses
        self._size = self._get_terminal_size()  # or the first screen is made for the exported one
        self._modes: list[Any] | None = None
        """The terminal's as the console needs them."""

    @property
    def _started(self) -> bool:
        """Whether the terminal is the console's: its keys are read and it is drawn on."""
        return self._writer_thread is not None and self._writer_thread.is_alive()

    def start_application_mode(self) -> None:
        super().start_application_mode()  # type: ignore[no-untyped-call]  # untyped in Textual
        if not self._started:  # Textual gives up where the terminal does not take its modes
            self._loop.call_soon_threadsafe(self._stop_app.terminal_gone)
            return
        with suppress(termios.error):
            self._modes = termios.tcgetattr(self.fileno)
        self.outflow.asks = True
        self.write(TITLE_KEPT)

    def _sigtstp_application(self, *_: object) -> None:
        """Leave the terminal and stop, in the event loop: a write may be under way, and in a signal's handler
        the next one would wait for its lock."""
        self._loop.call_soon_threadsafe(super()._sigtstp_application)

    def _sigcont_application(self, *_: object) -> None:
        """Go on after a stop. The kernel sends this with every hangup too: only a console that has left its
        terminal enters it again, or two threads would share its keys between them."""
        if self._started:
            self._loop.call_soon_threadsafe(self._take_back)
        else:
            super()._sigcont_application()
            self._loop.call_soon_threadsafe(self._stop_app.draw_again)

    def _take_back(self) -> None:
        """Set the terminal as the console needs it: where no stop was announced, a shell may have had it."""
        if not self._started:
            return
        if self._modes is not None:
            with suppress(termios.error):  # it is gone, which its input says
                termios.tcsetattr(self.fileno, termios.TCSANOW, self._modes)
        self.write("\x1b[?1049h\x1b[?25l\x1b[?1004h")
        self._enable_bracketed_paste()
        self._disable_line_wrap()
        self._enable_mouse_support()
        self._stop_app.draw_again()

    def write(self, data: str) -> None:
        """Nothing is kept for a terminal that was left: nobody takes it, and the loop would wait for that."""
        if self._started:
            super().write(data)

    def stop_application_mode(self) -> None:
        """Every way out comes through here: the window gets the title back that it had, and an answer that is
        still to come is awaited, or it would be typed into the shell."""
        self.outflow.asks = False
        deadline = time.monotonic() + LAST_ANSWER_S
        while self.outflow.behind_ns() and time.monotonic() < deadline:
            time.sleep(_ESCAPE_POLL_S)
        self.write(TITLE_BACK)
        super().stop_application_mode()

    def _get_terminal_size(self) -> tuple[int, int]:
        """The terminal's own size: exported COLUMNS and LINES do not follow a resize."""
        try:
            size = os.get_terminal_size(self.fileno)
        except OSError:
            return super()._get_terminal_size()
        return (size.columns, size.lines) if size.columns and size.lines else super()._get_terminal_size()

    def _run_input_thread(self) -> None:
        try:
            self.run_input_thread()
        except Exception as error:  # noqa: BLE001  a console without keys must not look as if it had some
            self._loop.call_soon_threadsafe(self._stop_app.failed, error)

    def run_input_thread(self) -> None:
        """Read, look for the stop key, then parse the rest; ends with the terminal or the console."""
        scanner, sequences, parser = (
            StopScanner(self._stop_app.stop_bytes),
            SequenceFilter(mouse=self._mouse),
            XTermParser(self._debug),
        )
        decoder = getincrementaldecoder("utf-8")("replace")
        quiet_since = pasting_since = time.monotonic()
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                asked = time.monotonic()
                ready = selector.select(_ESCAPE_POLL_S if sequences.waiting else _POLL_S)
                now = time.monotonic()
                if not ready:
                    parser = self._parse(parser, sequences.rest(now - quiet_since))
                    if now - quiet_since > PASTE_PAUSE_S:
                        scanner.end_paste()
                        parser = self._parse(parser, sequences.end_paste())
                    continue
                quiet_since = now
                if not scanner.pasting:
                    pasting_since = now
                elif now - pasting_since > PASTE_MAX_S:
                    scanner.end_paste()
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
                answers, text = sequences.answers, sequences.feed(decoder.decode(rest))
                if sequences.answers > answers:
                    self.outflow.answered()
                if now - asked < _POLL_S + FROZEN_S:
                    parser = self._parse(parser, text)

    def _parse(self, parser: XTermParser, text: str) -> XTermParser:
        """Feed the parser; after input it cannot take, go on with a new one."""
        try:
            if text:
                for event in parser.feed(text):
                    self.process_message(event)
            for event in parser.tick():
                self.process_message(event)
        except Exception:  # noqa: BLE001  whatever bad input does to the parser, keys must go on working
            return XTermParser(self._debug)
        return parser

"""What a terminal sends, before it is taken for keys: the stop in it, and the sequences that mean no key.

The stop is byte 0x18 outside a bracketed paste, or the same key as a terminal writes it in which another
program has left an extended keyboard protocol on. Input may be malformed.
"""

from __future__ import annotations

import re

from textual._ansi_sequences import ANSI_SEQUENCES_KEYS

from tui.outflow import ANSWER

STOPS = frozenset({0x18})
"""Ctrl-X; the keymap may add to it."""
PASTE_START = b"\x1b[200~"
PASTE_END = b"\x1b[201~"
BEGUN_MAX_S = 0.2
"""The rest of a sequence that a bad line has cut comes within this, and is no key; Esc alone waits less."""
_ESCAPE = "\x1b"
_PASTE_START, _PASTE_END = PASTE_START.decode(), PASTE_END.decode()
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_SEQUENCE_MAX = 256
_STOP_MAX = 48
# Ctrl-X by the kitty protocol (key, or its place on a Latin keyboard; pressed or repeated) and by xterm's.
_STOP_SEQUENCE = re.compile(
    rb"\x1b\[(?:(?:120(?::\d*){0,2}|\d+:\d*:120);(?P<kitty>\d{1,3})(?::[12])?(?:;[\d:]*)?u"
    rb"|27;(?P<xterm>\d{1,3});(?:120|88)~)\Z"
)
_CTRL = 4
"""Bit of a sequence's modifiers, which are written with one added."""
# A whole sequence: CSI, SS3, a string ended by BEL or ST, Esc Esc, or Esc with one character.
_SEQUENCE = re.compile(
    r"\x1b(?:\[\[[A-E]|\[M.{3}|\[[0-?]*[ -/]*[@-~]|O.|[P\]X^_](?:[^\x07\x1b]*)(?:\x07|\x1b\\)|\x1b\[[A-D]"
    r"|(?=\x1b)|[^\[OP\]X^_\x1b])",
    re.DOTALL,
)
_ANY = re.compile(r"\x1b.?", re.DOTALL)
# What is worth knowing of what a terminal reports: the mouse, and that it takes a frame as one. Never its
# size, which the kernel knows without being told by whatever bytes come.
_MOUSE = re.compile(r"\x1b\[(?:<\d{1,3};\d{1,5};\d{1,5}[mM]|M...)", re.DOTALL)
_REPORT = re.compile(r"\x1b\[\?2026;\d\$y")
PASTED_MAX = 4096
"""Characters kept of a paste: a text field takes one line of two hundred."""


class StopScanner:
    """Splits raw input into stop presses and the rest, aware of bracketed pastes across reads."""

    def __init__(self, stops: frozenset[int] = STOPS) -> None:
        self.pasting = False
        self._stops = stops
        self._tail = b""

    def feed(self, data: bytes) -> tuple[int, bytes]:
        """Number of stop keys outside pastes, and the data without their bytes; a stop written as a sequence
        stays, for ``SequenceFilter`` to drop."""
        stops = 0
        kept = bytearray()
        for byte in data:
            self._tail = (self._tail + bytes((byte,)))[-_STOP_MAX:]
            if byte in self._stops and not self.pasting:
                stops += 1
                continue
            kept.append(byte)
            if self._tail.endswith(PASTE_START):
                self.pasting = True
            elif self._tail.endswith(PASTE_END):
                self.pasting = False
            elif byte in b"u~" and not self.pasting:
                stops += _is_stop(self._tail)
        return stops, bytes(kept)

    def end_paste(self) -> None:
        self.pasting = False
        self._tail = b""


def _is_stop(tail: bytes) -> bool:
    """Whether input ends with Ctrl-X as a sequence, whatever other modifiers and locks are down."""
    found = _STOP_SEQUENCE.search(tail)
    return found is not None and bool(int(found["kitty"] or found["xterm"]) - 1 & _CTRL)


class SequenceFilter:
    """Drops escape sequences that mean no key, so that their letters are never taken for keys.

    Textual hands the characters of a sequence it does not know on as typed keys, in a paste too; on this desk
    letters spend and halt. Works on decoded text; an unfinished sequence waits for its rest.
    """

    def __init__(self, *, mouse: bool = False) -> None:
        self._mouse = mouse
        self._held = ""
        self._pasting = False
        self._pasted = 0
        self.answers = 0
        """How often the terminal said that it has shown what was written."""

    @property
    def waiting(self) -> bool:
        return bool(self._held) and not self._pasting

    def feed(self, text: str) -> str:
        """The text without unknown sequences."""
        text, self._held = self._held + text, ""
        kept: list[str] = []
        at = 0
        while at < len(text):
            if self._pasting:
                at = self._paste(text, at, kept)
                continue
            escape = text.find(_ESCAPE, at)
            if escape < 0:
                kept.append(text[at:])
                break
            kept.append(text[at:escape])
            match = _SEQUENCE.match(text, escape)
            if match is None:
                if len(text) - escape < _SEQUENCE_MAX:
                    self._held = text[escape:]
                    break
                match = _ANY.match(text, escape)
                assert match is not None
            sequence = match.group()
            if sequence == _PASTE_START:
                self._pasting, self._pasted = True, 0
            if self._means_something(sequence):
                kept.append(sequence)
            self.answers += sequence == ANSWER
            at = match.end()
        return "".join(kept)

    def _paste(self, text: str, at: int, kept: list[str]) -> int:
        """Take what is pasted, without its control characters and no more than has room; where it ends."""
        end = text.find(_PASTE_END, at)
        until = len(text) if end < 0 else end
        if end < 0:
            begun = next(n for n in range(len(_PASTE_END) - 1, -1, -1) if text.endswith(_PASTE_END[:n], at))
            until -= begun
            self._held = text[until:]
        pasted = _CONTROL.sub("", text[at:until])[: PASTED_MAX - self._pasted]
        self._pasted += len(pasted)
        kept.append(pasted)
        if end < 0:
            return len(text)
        self._pasting = False
        kept.append(_PASTE_END)
        return end + len(_PASTE_END)

    def rest(self, quiet_s: float = BEGUN_MAX_S) -> str:
        """What was waiting when nothing more came for so long: the escape key alone, or nothing."""
        if self._pasting or (self._held != _ESCAPE and quiet_s < BEGUN_MAX_S):
            return ""
        held, self._held = self._held, ""
        return _ESCAPE if held == _ESCAPE else ""

    def end_paste(self) -> str:
        """Close a paste that its terminal did not; what closes it for the parser, nothing without one."""
        if not self._pasting:
            return ""
        self._pasting, self._held = False, ""
        return _PASTE_END

    def _means_something(self, sequence: str) -> bool:
        return (
            len(sequence) == 2
            or sequence in ANSI_SEQUENCES_KEYS
            or sequence in (_PASTE_START, "\x1b[I", "\x1b[O")
            or _REPORT.fullmatch(sequence) is not None
            or (self._mouse and _MOUSE.fullmatch(sequence) is not None)
        )

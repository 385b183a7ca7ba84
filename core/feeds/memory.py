"""What sources want to know again after a restart: small, no secret, and no value by itself."""

from __future__ import annotations

from collections.abc import Mapping

NOTES_MAX = 5_000
NOTE_BYTES_MAX = 16 * 1024


class Memory:
    """Notes by key. Whoever made it reads ``notes`` when ``changes`` has grown, and hands them in again."""

    def __init__(self, notes: Mapping[str, bytes] | None = None) -> None:
        self._notes = dict(notes or {})
        self.changes = 0

    @property
    def notes(self) -> Mapping[str, bytes]:
        return self._notes

    def recall(self, key: str) -> bytes:
        """What was noted last; empty for nothing."""
        return self._notes.get(key, b"")

    def note(self, key: str, what: bytes) -> None:
        """JSON, in the place of what was noted before. The oldest one goes where there are too many; what is
        too long is not kept."""
        self._notes.pop(key, None)
        if len(what) <= NOTE_BYTES_MAX:
            self._notes[key] = what
        while len(self._notes) > NOTES_MAX:
            del self._notes[next(iter(self._notes))]
        self.changes += 1

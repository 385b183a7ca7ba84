"""What two sockets say of one price in one millisecond, put in the order in which it happened.

A newer time always wins. Within one millisecond only each socket's own order is known, and one of them may
have lost something. So a word nobody has said yet is the newest; one that another socket has said is no
news, unless this socket has meanwhile said something that stands after it: then it happened later.
"""

from __future__ import annotations

from typing import Final

Word = tuple[object, int]
"""The hash of the order behind a change, and the size that rests from then on."""

WORDS_MAX: Final = 64


class Moment:
    """The words on one price at its newest time, oldest first."""

    __slots__ = ("_last", "_words", "at_ms")

    def __init__(self, at_ms: int, lane: int, word: Word) -> None:
        self.at_ms = at_ms
        self._words: list[Word] = [word]
        self._last: dict[int, Word] = {lane: word}
        """What each socket said last."""

    def take(self, lane: int, word: Word) -> bool:
        """One more word of the same time: whether it is the newest."""
        words, before = self._words, self._last.get(lane)
        self._last[lane] = word
        if word in words:
            if before not in words or words.index(word) > words.index(before):
                return False
            words.remove(word)
        elif len(words) >= WORDS_MAX:
            del words[0]
        words.append(word)
        return True

"""Which journal entries are shown: words that must all be found, some of them in one place only."""

from __future__ import annotations

from typing import NamedTuple

from core.control.tables.account import JournalRow

PLACES = ("kind", "market", "order")


class Filter(NamedTuple):
    """All in lower case. ``places``: where, and what must be found there."""

    places: tuple[tuple[str, str], ...] = ()
    words: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.places or self.words)

    @property
    def text(self) -> str:
        """As it is typed."""
        return " ".join([*(f"{place}:{value}" for place, value in self.places), *self.words])

    def fits(self, row: JournalRow) -> bool:
        where = {"kind": row.kind, "market": row.ticker, "order": row.order_id}
        if any(value not in where[place].lower() for place, value in self.places):
            return False
        whole = f"{row.kind} {row.text} {row.ticker} {row.order_id}".lower()
        return all(word in whole for word in self.words)


def parse(text: str) -> Filter:
    """``kind:FILL market:NYC order:91c7 words``; what is before another colon is a word like any other."""
    places, words = [], []
    for part in text.lower().split():
        place, colon, value = part.partition(":")
        if colon and value and place in PLACES:
            places.append((place, value))
        else:
            words.append(part)
    return Filter(tuple(places), tuple(words))

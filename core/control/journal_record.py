"""What a journal says of a closed desk: its models' record and its vetoes, without an engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from core.config.paths import Profile
from core.control.queries.answers import answer_alone
from core.control.rows.models import score_row
from core.control.rows.vetoes import vetoes_row
from core.control.simulated_past import simulated_past
from core.control.tables.models import ScoreRow
from core.control.tables.vetoes import VetoesRow
from core.engine.forecasts import Witnessed, record_of
from core.engine.vetoes import VetoBook
from core.journal.events import Row
from core.journal.files import JournalError, read_history


class UnreadableError(Exception):
    """The journal cannot be read; the text is the sentence for the operator."""


def answer_of(place: Profile, what: str) -> bytes:
    """What the profile's engine would answer to a query of ``ALONE``, from its newest journal.

    Raises ``UnreadableError``.
    """
    return answer_alone(what, ALONE[what](place))


def _record(place: Profile) -> Iterator[ScoreRow]:
    known = Witnessed()
    _fold(place, known.take)
    record = record_of(simulated_past(place), known, simulated=place.simulated)
    return map(score_row, record.tracks())


def _vetoes(place: Profile) -> VetoesRow:
    book = VetoBook()
    _fold(place, book.take)
    return vetoes_row(book)


ALONE: dict[str, Callable[[Profile], Iterator[ScoreRow] | VetoesRow]] = {
    "score": _record,
    "vetoes": _vetoes,
}


def _fold(place: Profile, take: Callable[[Row], None]) -> None:
    """Hand on the rows of the newest journal that a restart would fold."""
    journals = place.journals()
    try:
        for row in read_history(journals[0]) if journals else ():
            take(row)
    except JournalError as error:
        raise UnreadableError(str(error)) from error
    except msgspec.MsgspecError as error:
        raise UnreadableError(
            f"The journal {journals[0]} holds a row that cannot be read: {error}."
        ) from error

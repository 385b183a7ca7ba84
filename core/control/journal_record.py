"""The models' record of a journal, without an engine: what ``pmconsole score`` tells of a closed desk."""

from __future__ import annotations

import msgspec

from core.config.paths import Profile
from core.control.queries.answers import answer_alone
from core.control.rows.models import score_row
from core.control.simulated_past import simulated_past
from core.engine.forecasts import Witnessed, record_of
from core.journal.files import JournalError, read_history


class UnreadableError(Exception):
    """The journal cannot be read; the text is the sentence for the operator."""


def record_answer(place: Profile) -> bytes:
    """What the profile's engine would answer, from its newest journal. Raises ``UnreadableError``."""
    known, journals = Witnessed(), place.journals()
    try:
        for row in read_history(journals[0]) if journals else ():
            known.take(row)
    except JournalError as error:
        raise UnreadableError(str(error)) from error
    except msgspec.MsgspecError as error:
        raise UnreadableError(
            f"The journal {journals[0]} holds a row that cannot be read: {error}."
        ) from error
    record = record_of(simulated_past(place), known, simulated=place.simulated)
    return answer_alone("score", map(score_row, record.tracks()))

"""The journal's file, read beside the engine: what no frame carries. Each call blocks: run it in a thread."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.journal.digest import Digest


class RecallError(Exception):
    """The journal cannot be read; the text is the sentence for the operator."""


def since(path: Path, after: int, own: Collection[str]) -> Digest:
    """What happened behind a row; raises ``RecallError``."""
    from core.journal.digest import read_digest
    from core.journal.files import JournalError

    try:
        return read_digest(path, after, own)
    except JournalError as error:
        raise RecallError(str(error)) from error

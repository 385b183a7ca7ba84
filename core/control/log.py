"""The engine's own log: JSON lines in a file, for faults of the program. What the desk did is in the journal.

Only named fields are written, cut and cleaned; anything that looks like a key or a signature is blanked.
"""

from __future__ import annotations

import json
import logging
import os
import re
import traceback
from pathlib import Path

from core.domain.text import clean_text

TEXT_MAX = 2000
_SECRET = re.compile(r"-----BEGIN[^-]*-----.*?(-----END[^-]*-----|$)|[A-Za-z0-9+/=_-]{41,}", re.DOTALL)


class JsonLines(logging.Formatter):
    """One record, one line: time, level, where, what, and the traceback's places without their values."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname,
            "room": record.name,
            "text": redact(record.getMessage()),
        }
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            line["error"] = redact(f"{type(error).__name__}: {error}")
            line["places"] = [
                f"{Path(frame.filename).name}:{frame.lineno} {frame.name}"
                for frame in traceback.extract_tb(error.__traceback__)
            ][-12:]
        return json.dumps(line, ensure_ascii=True)


def redact(text: str) -> str:
    """One clean line without anything long enough to be a key, a signature or a token."""
    return clean_text(_SECRET.sub("[redacted]", text), TEXT_MAX)


def to_file(path: Path) -> None:
    """Send every logger to ``path`` (0600), nothing to the terminal."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    handler = logging.StreamHandler(os.fdopen(descriptor, "w", encoding="utf-8"))
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    # Both say something for every request or frame; only their warnings are about faults.
    for chatty in ("httpx", "httpcore", "websockets", "asyncio"):
        logging.getLogger(chatty).setLevel(logging.WARNING)

"""Names of keys: Textual's, those on the screen, and what an operator writes into a file."""

from __future__ import annotations

import re
import string
import unicodedata

_SHOWN = {
    "escape": "Esc",
    "enter": "Enter",
    "space": "Space",
    "tab": "Tab",
    "shift+tab": "S-Tab",
    "pagedown": "PgDn",
    "pageup": "PgUp",
    "home": "Home",
    "end": "End",
    "left": "Left",
    "right": "Right",
    "up": "Up",
    "down": "Down",
}
_UNLIKE_UNICODE = {
    "solidus": "slash",
    "reverse_solidus": "backslash",
    "commercial_at": "at",
    "hyphen_minus": "minus",
    "plus_sign": "plus",
    "low_line": "underscore",
}
"""Textual's names of characters where they are not Unicode's."""
_OTHERS = re.compile(r"ctrl\+[a-z]|f[1-9]|f1[0-2]|insert|delete")


def _named(character: str) -> str:
    name = unicodedata.name(character).lower().replace(" ", "_").replace("-", "_")
    return _UNLIKE_UNICODE.get(name, name)


_CHARACTERS = {_named(character): character for character in string.punctuation}
_WRITTEN = {shown.casefold(): key for key, shown in _SHOWN.items()} | {
    character: key for key, character in _CHARACTERS.items()
}


def key_name(key: str) -> str:
    """How a key is written on the screen."""
    if key.startswith("ctrl+"):
        return "^" + key.removeprefix("ctrl+").upper()
    shown = _SHOWN.get(key) or _CHARACTERS.get(key)
    return shown or (key.capitalize() if _OTHERS.fullmatch(key) else key)


def key_of(written: str) -> str | None:
    """Textual's name of a key written as on the screen or by that name; ``None`` for no key."""
    if len(written) == 1 and written.isascii() and written.isalnum():
        return written
    word = written.casefold()
    word = f"ctrl+{word[1:]}" if len(word) > 1 and word[0] == "^" else word
    key = _WRITTEN.get(word, word)
    return key if key in _SHOWN or key in _CHARACTERS or _OTHERS.fullmatch(key) else None

"""One value of ``config.toml`` changed, and not a byte besides: the operator's comments and order stay."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import tomli_w

from core.config.secrets import write_private
from core.config.settings import SettingsError, line_of, parse
from core.config.toml import TomlError, read_toml

_LINE = re.compile(
    r"""(?P<before>[ \t]*)["']?[\w.-]+["']?[ \t]*=[ \t]*("(?:[^"\\\r\n]|\\.)*"|'[^'\r\n]*'|[^#"'\r\n]*?)"""
    r"""(?P<behind>[ \t]*(?:\#[^\r\n]*)?\r?\n?)\Z"""
)
"""A key with a text, a number or a yes or no on one line, and what stands around them."""


def write_value(path: Path, section: str, key: str, value: bool | int | str) -> bool:
    """Set a value; false where it stands there already. The file is replaced as a whole, for its owner only.
    Raises ``SettingsError`` for one that cannot be read, or not be changed so, and ``OSError``."""
    path = path.resolve()  # a link to a file stays one
    try:
        text = path.read_bytes().decode()
    except FileNotFoundError:
        text = ""
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: not UTF-8 text: save the file as UTF-8") from error
    parse(text, str(path))
    tables = read_toml(text)
    if tables.get(section, {}).get(key) == value:
        return False
    changed = with_value(text, section, key, value)
    if not _only(changed, {**tables, section: {**tables.get(section, {}), key: value}}):
        raise SettingsError(f"{path}: [{section}] {key} cannot be changed where it stands: edit the file")
    parse(changed, str(path))
    write_private(path, changed.encode())
    return True


def _only(changed: str, wanted: dict[str, Any]) -> bool:
    """Whether the text says what is wanted and nothing else."""
    try:
        return read_toml(changed) == wanted
    except TomlError:
        return False


def with_value(text: str, section: str, key: str, value: bool | int | str) -> str:
    """TOML text with one value more or another one; what stands around it on its line stays."""
    written = tomli_w.dumps({key: value}).rstrip("\n")
    lines = text.splitlines(keepends=True)
    end = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    at = line_of(text, section, key)
    if at is not None:
        lines[at - 1] = _LINE.sub(lambda found: found["before"] + written + found["behind"], lines[at - 1])
        return "".join(lines)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += end
    head = line_of(text, "", section)
    if head is not None:
        lines.insert(head, written + end)
    else:
        lines += [end] * bool(lines) + [f"[{section}]{end}", written + end]
    return "".join(lines)

"""TOML that a person wrote, read so that whatever is wrong with it is one error."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from typing import Any


class TomlError(Exception):
    """The text is no TOML that can be read; says what is wrong with it, without the file's name."""


def read_toml(text: str, parse_float: Callable[[str], Any] = float) -> dict[str, Any]:
    """The tables of a text; raises ``TomlError``, also where ``tomllib`` itself breaks on it."""
    try:
        return tomllib.loads(text, parse_float=parse_float)
    except tomllib.TOMLDecodeError as error:
        raise TomlError(str(error)) from error
    except RecursionError as error:
        raise TomlError("its lists or tables lie too deep in one another") from error
    except (ValueError, ArithmeticError) as error:
        raise TomlError("a number in it is too large to be read") from error

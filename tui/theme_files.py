"""Where themes are: the files that come with the console, and the operator's own in the profile's folder.

Nothing of Textual here: the command line asks which themes exist before it opens a console.
"""

from __future__ import annotations

from pathlib import Path

import themes

DEFAULT_THEME = "dark"
COLOURLESS_THEME = "mono"
"""The theme where the environment asks for no colours and nobody named one."""
_SUFFIX = ".toml"
_PACKAGED = Path(themes.__path__[0])
BYTES_MAX = 65_536


class ThemeError(Exception):
    """A theme that cannot be used; the text is a sentence for a person."""


def theme_names(folder: Path | None = None) -> list[str]:
    """Names of the themes there are, the operator's own in ``folder`` among them."""
    return sorted({_name(entry) for entry in _packaged()} | {_name(entry) for entry in _own(folder)})


def theme_file(name: str, folder: Path | None = None) -> Path:
    """The file of a theme. Raises ``ThemeError``: none of that name, or one too many."""
    own = [entry for entry in _own(folder) if _name(entry) == name]
    packaged = [entry for entry in _packaged() if _name(entry) == name]
    if own and packaged:
        raise ThemeError(f"{own[0]}: {name} comes with pmconsole; give your theme another name")
    if not own and not packaged:
        raise ThemeError(no_theme(name, folder))
    return (own or packaged)[0]


def no_theme(name: str, folder: Path | None = None) -> str:
    """The sentence for a name nothing has."""
    return f"there is no theme {name[:40]!r}; use one of: {', '.join(theme_names(folder))}"


def read_theme(file: Path) -> str:
    """Its text. Raises ``ThemeError``."""
    try:
        raw = file.read_bytes()
        if len(raw) > BYTES_MAX:
            raise ThemeError(f"{file}: {len(raw)} bytes are no theme file (limit {BYTES_MAX})")
        return raw.decode()
    except OSError as error:
        raise ThemeError(f"{file}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ThemeError(f"{file}: not UTF-8") from error


def _packaged() -> list[Path]:
    return _themes_in(_PACKAGED)


def _own(folder: Path | None) -> list[Path]:
    try:
        return _themes_in(folder) if folder is not None else []
    except OSError:
        return []


def _themes_in(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*{_SUFFIX}"))


def _name(entry: Path) -> str:
    return entry.name.removesuffix(_SUFFIX)

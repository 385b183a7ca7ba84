"""The operator's views as a source: their file is looked at often, and lines are added to its end."""

from __future__ import annotations

from pathlib import Path

from core.domain.clock import Clocks
from core.feeds.calendar.eastern import eastern_day
from core.feeds.calendar.own_file import BYTES_MAX, Form, OwnFeed
from core.feeds.calendar.views import FILE, HEADER, parse_views, written
from core.feeds.declaration import Declaration, Family
from core.feeds.feed import Feed, Stamp
from core.feeds.releases import View, Views
from core.feeds.wiring import Wiring

OWN = Declaration(
    name="own-views",
    label="OWNVIEWS",
    family=Family.CALENDAR,
    gives=f"what you expect of figures to come, in your own {FILE}",
    urls={},
    every_s=5,
    stale_after_s=3_600,
)


def append(path: Path, view: View) -> str:
    """Add a view to the end of the file, with the columns' names where it is new; what stands there stays.

    Returns why it could not, a sentence; empty where it is done. It does not wait for the disk: the journal
    has the view too."""
    try:
        held = path.stat().st_size if path.exists() else 0
        if held + 1_000 > BYTES_MAX:
            return f"{path} is larger than {BYTES_MAX // 1024} KB: move its oldest lines to another file."
        lines = "" if held else ",".join(HEADER) + "\n"
        if held and not path.read_bytes().endswith(b"\n"):
            lines = "\n"
        with path.open("ab") as file:
            file.write(f"{lines}{written(view)}\n".encode())
    except OSError as error:
        return f"{path} cannot be written ({error.strerror}): correct its permissions, then enter it again."
    return ""


def _views(text: str, name: str, clocks: Clocks) -> Views | str:
    views = parse_views(text, name, eastern_day(clocks.world_ms()).isoformat())
    if isinstance(views, str):
        return views
    return Views(OWN.name, views, Stamp(clocks.world_ms(), clocks.wall_ms(), clocks.mono_ns()))


FORM = Form(
    FILE,
    _views,
    none_there=(
        "You have entered none: markets on figures have no price before you do, by 'pmconsole view', "
        "':view', or in {path}."
    ),
    too_large="move its oldest lines to another file",
    dated=False,
)


def view_feed(wiring: Wiring) -> Feed:
    return OwnFeed(wiring, FORM)

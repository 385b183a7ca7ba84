"""The stop ladder on screen: one band instead of the status bar, one instead of the message line."""

from __future__ import annotations

from core.control.tables.safety import FlattenRow, FlattenVenueRow
from tui.format import count, countdown, venue_short
from tui.lines import Line, line, pad
from tui.scene import Scene
from tui.words import profile_word

QUIET_NS = 800_000_000
"""``f`` skips the wait only after this long without any key."""


def stop_line(scene: Scene) -> Line:
    """What the ladder is doing now, and its countdown."""
    flatten, profile = scene.view.flatten, profile_word(scene.view.profile)
    if flatten is None or not scene.view.stopping:
        return _band(f" {profile}  STOPPING   stop sent, waiting for the engine", scene.width)
    phase = _phase(flatten, scene)
    whole = "   ".join([f" {profile}  STOPPING   {phase}", *map(_counts, flatten.venues)])
    if len(flatten.venues) > 1 and len(whole) > scene.width:
        return _band("  ".join([f" {profile} STOPPING  {phase}", *map(_own, flatten.venues)]), scene.width)
    return _band(whole, scene.width)


def _counts(venue: FlattenVenueRow) -> str:
    exits = f"exits {venue.exits_filled}/{venue.exits_sent}" if venue.exits_sent else "exits -"
    exits += f" rest {venue.exits_resting}" if venue.exits_resting else ""
    return (
        f"{venue_short(venue.venue)} cancels {venue.cancels_confirmed}/{venue.cancels_sent}"
        f" unk {venue.cancels_unknown}  {exits}  left {count(venue.left)}"
    )


def _own(venue: FlattenVenueRow) -> str:
    """How far one venue's ladder is, where there is no room for every count of both."""
    unknown = f" unk {venue.cancels_unknown}" if venue.cancels_unknown else ""
    return f"{venue_short(venue.venue)} {venue.pause or venue.phase}{unknown} left {count(venue.left)}"


def _phase(flatten: FlattenRow, scene: Scene) -> str:
    if flatten.phase == "COUNTDOWN" and flatten.exits_at_ns is not None:
        return f"EXITS IN {countdown(scene.in_s(flatten.exits_at_ns))}"
    if flatten.phase == "CANCELLING" and flatten.exits_at_ns is not None:
        return f"CANCELLING, exits in {countdown(scene.in_s(flatten.exits_at_ns))}"
    if flatten.pause and len(flatten.venues) == 1:
        return flatten.pause.upper()
    return flatten.phase


def stop_hint(scene: Scene) -> Line:
    """The way out of the ladder; what it does stands in the band."""
    flatten = scene.view.flatten
    if flatten is None or not scene.view.stopping:
        return _band(" halt and cancel go out first; positions are sold after a countdown", scene.width)
    if flatten.phase == "EXITING" and scene.controls and scene.ladder_hurry:
        return _band(" u sells down to 10c under the bid at once; any other key leaves it", scene.width)
    if flatten.phase in ("EXITING", "VERIFYING") and not flatten.can_abort:
        selling = flatten.phase == "EXITING" and scene.controls
        more = "   ^X hurries   : types exit-at" if selling else ""
        return _band(f" it goes on until the venue shows nothing of ours twice{more}", scene.width)
    if not scene.controls:
        way_out = "only the console in control can abort"
    elif scene.ladder_ask:
        way_out = "Esc AGAIN keeps the positions"
    else:
        way_out = "Esc Esc keeps the positions"
    counting = flatten.phase in ("CANCELLING", "COUNTDOWN")
    skip = "   f skips the wait" if scene.controls and counting and scene.quiet_ns >= QUIET_NS else ""
    return _band(f" {way_out}{skip}", scene.width)


def receipt(flatten: FlattenRow) -> str:
    """The sentence that stays when the ladder is over, and what is left that it does not name itself."""
    told = flatten.receipt or f"Stop ended: {flatten.phase}."
    left = [text for text in flatten.residue if _by_itself(text) not in told]
    return told + (f" Left: {', '.join(left)}." if left else "")


def _by_itself(residue: str) -> str:
    """As the ladder of its own venue tells it: an account's name has that venue's before it."""
    name, colon, why = residue.partition(": ")
    return name.rpartition(" ")[2] + colon + why


def _band(text: str, width: int) -> Line:
    return pad(line((text, "band")), width, "band")

"""What stands in the way of ordinary trading, gravest first: who, since when, why and the way out.

The band below the status bar shows the first of it, the terminal's title names it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tui.actions import DIRECT
from tui.format import age, countdown, utc, venue_short
from tui.scene import Scene, Typed
from tui.words import console_word, profile_word

START = "engine start"
NO_JOURNAL = "NO JOURNAL"


class Standing(NamedTuple):
    """One state that has to be seen until it is over."""

    word: str
    """Its name in the title."""
    text: str
    """What, since when, by whom and why, one line."""
    way: str = ""
    """What ends it; never cut. Empty where the text says so."""
    calm: bool = False
    """Whether it is worth a row of a large terminal only, and no place in the title."""


def standing(scene: Scene, typed: Typed) -> list[Standing]:
    """Everything that stands now; nothing before the engine has told of the desk."""
    return list(_found(scene, typed)) if scene.view.status is not None else []


def _found(scene: Scene, typed: Typed) -> Iterator[Standing]:
    status = scene.view.status
    assert status is not None
    if scene.in_ladder:
        yield Standing("STOPPING", _scope(scene))
    elif scene.down:
        yield Standing("ENGINE DOWN", down_sentence(scene, typed))
    if status.problem == NO_JOURNAL:
        yield Standing(
            NO_JOURNAL,
            f"{NO_JOURNAL}   only cancels and ^X leave, nothing is recorded{_why(status.level_reason)}",
            typed("doctor"),
        )
    elif status.level != "NORMAL" and not scene.in_ladder:
        yield _level(scene)
    if not scene.controls and not scene.down:
        holder = (
            f"{console_word(status.controller)} has control"
            if status.controller
            else "no console has control"
        )
        yield Standing(
            "READ-ONLY",
            f"READ-ONLY   {holder}; here only ^X and {scene.keymap.name('halt')} act",
            "started with --view-only" if scene.view_only else ":take takes it",
        )
    if status.problem and status.problem != NO_JOURNAL:
        yield Standing(
            status.problem,
            f"{status.problem}   entries wait until the clocks agree with the venue's",
            typed("doctor"),
        )
    if not status.armed:
        yield Standing("NOT ARMED", "NOT ARMED   no entry leaves; exits, halt and flatten work", ":arm")
    if status.paused:
        yield _paused(scene)
    if status.replay:
        yield Standing("REPLAY", f"REPLAY   {status.replay}", calm=True)


def _level(scene: Scene) -> Standing:
    status, flatten = scene.view.status, scene.view.flatten
    assert status is not None
    word = status.level
    where = f" on {status.level_scope}" if status.level_scope not in ("", "desk") else ""
    since = _since(scene, status.level_wall_ms, status.level_by, status.level_reason)
    if flatten is not None and flatten.watches:
        text = f"{word}   it goes on selling what is left until :flatten keep or :resume   {since}"
        return Standing(word, text)
    if not scene.controls:
        return Standing(word, f"{word}{where}   {since}", "the console in control resumes")
    lifts = ":resume lifts it" + (", with a word and a reason" if scene.wide else "")
    return Standing(word, f"{word}{where}   {since}", lifts)


def _paused(scene: Scene) -> Standing:
    status = scene.view.status
    assert status is not None
    what = "all entries" if "*" in status.paused else f"entries of {', '.join(status.paused)}"
    since = _since(scene, status.paused_wall_ms, status.paused_by, status.paused_why)
    way = ":unpause" + (" lets them go on, with a word" if scene.wide else "")
    return Standing("PAUSED", f"PAUSED   {what}, {since}".rstrip(", "), way)


def _since(scene: Scene, wall_ms: int | None, by: str, why: str) -> str:
    """``14:02:17Z (4m) by pid 7: loss today``, both in the time the screen's clock shows."""
    if wall_ms is None:
        return why
    at_ms = scene.view.world_at(wall_ms)
    ago = age((scene.view.world_ms(scene.now) - at_ms) / 1000)
    who = f" by {you_or(scene, by)}" if by else ""
    return f"{utc(at_ms)}Z ({ago}){who}{_why(why)}"


def _why(text: str) -> str:
    return f": {text}" if text else ""


def you_or(scene: Scene, name: str) -> str:
    """Whoever did something, ``you`` where it was this console."""
    status = scene.view.status
    own = scene.controls and status is not None and name == status.controller
    return "you" if own else console_word(name)


def _scope(scene: Scene) -> str:
    """What a stop does and where, said before it has happened."""
    view = scene.view
    links = view.status.links if view.status is not None else ()
    where = " ".join([profile_word(view.profile), *(venue_short(link.venue) for link in links)])
    if view.flatten is not None and view.stopping:
        return f"{where}: {view.flatten.scope}"
    return f"{where}: {len(view.working())} orders to cancel, {len(view.held())} positions to sell"


def down_sentence(scene: Scene, typed: Typed) -> str:
    """What could not be sent, the command that helps, and what is known of our orders.

    A stop that no engine carries on is finished without one. For how long the engine has been silent
    stands in the status bar.
    """
    working = scene.view.working()
    expiries = [row.expires_wall_ms for row in working if row.expires_wall_ms is not None]
    left = ""
    if working and len(expiries) == len(working):
        left = countdown((max(expiries) - scene.now.wall_ms) / 1000)
    if scene.message is not None and scene.message.role == "alarm":
        expire = f" expire in {left}" if left else " at the venue"
        verb = scene.message.without_engine or START
        return f"{scene.message.text}. Run: {typed(verb)}   {len(working)} orders{expire}."
    if scene.view.stopping:
        left = f"{len(working)} orders, {len(scene.view.held())} positions"
        return f"Stop unfinished. Run: {typed(DIRECT)}   {left} left."
    tail = f", dead by expiry in {left}" if left else ""
    return f"Run: {typed(START)}   Orders at the venue: {len(working)}{tail}."

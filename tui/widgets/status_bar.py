"""The first line of every screen: is it safe right now."""

from __future__ import annotations

from core.control.tables.sources import FeedRow
from core.control.tables.status import LinkRow, StatusRow
from tui.feed_words import (
    badness,
    by_family,
    feed_age_s,
    feed_word,
    feeds_of,
    worst_feed,
    worst_first,
)
from tui.format import age, countdown, dollars_up, fine_age, short_dollars, signed_dollars, utc, venue_short
from tui.lines import Line, Span, cut, ends, line, width_of
from tui.release_words import release_chips
from tui.scene import Scene
from tui.widgets.line_pane import LinePane
from tui.widgets.stop_band import stop_line
from tui.words import beat_word, console_word, mode_word, profile_role, profile_word

_BAD_FEEDS_MAX = 3
_NICE_TO_HAVE = 5
"""Groups from this priority on go before the gaps get tight."""


def status_line(scene: Scene) -> Line:
    """Profile, mode, venues, feeds, unknown orders, exposure, result, control, world time."""
    if scene.in_ladder:
        return stop_line(scene)
    status, clock = scene.view.status, _clock(scene)
    if status is None:
        word = "ENGINE DOWN" if scene.down else "CONNECTING"
        return ends(line(" ", (f" {word} ", "band")), clock, scene.width)
    groups = _groups(scene, status, folded=False)
    if scene.wide and _cells(groups, 2) > _room(clock, scene.width):
        groups = _groups(scene, status, folded=True)
    return _fitted(groups, clock, scene.width)


def _groups(scene: Scene, status: StatusRow, *, folded: bool) -> list[tuple[int, Line]]:
    """Priority and words of all there is to say. ``folded``: the live feeds of all families as one chip."""
    view = scene.view
    role = profile_role(status.profile)
    word = profile_word(status.profile)
    profile = line((f" {word} ", role)) if role == "profile-live" else line(" ", (word, role))
    groups: list[tuple[int, Line]] = [(0, profile), (0, line(mode_word(status)))]
    if scene.down:
        frame_age = view.frame_age_ns(scene.now)
        seconds = None if frame_age is None else frame_age / 1e9
        groups.append((0, line((f" ENGINE DOWN {age(seconds)} ", "band"))))
    elif view.lags(scene.now):
        seconds = (view.frame_age_ns(scene.now) or 0) / 1e9
        groups.append((0, line((f" VIEW LAG {age(seconds)} ", "band"))))
    if scene.pace:
        groups.append((1, line((scene.pace, "near"))))
    if status.problem:
        groups.append((0, line((f" {status.problem} ", "band"))))
    if view.mismatches():
        groups.append((0, line((" MISMATCH ", "band"))))
    groups += _nets(status)
    if not scene.controls and not scene.down:
        groups.append((1, line((f"READ-ONLY {_holder(status)}", "near"))))
    for index, link in enumerate(status.links):
        groups += [(1, _venue_chip(scene, index)), *_beat(scene, link)]
    if not scene.down:
        groups += [*_feed_chips(scene, folded=folded), *release_chips(scene)]
    groups.append((1, _unknown(status.unknown)))
    if status.unsettled or view.settles_later:
        role, priority = ("near", 1) if status.unsettled else ("text", 5)
        groups.append((priority, line(("uns ", "text-muted"), (str(status.unsettled), role))))
    groups.append(
        (
            1,
            line(
                ("exp ", "text-muted"),
                f"{dollars_up(status.exposure)}/{short_dollars(status.exposure_limit)}",
            ),
        )
    )
    groups.append((5, line(("open ", "text-muted"), _pnl(status.open_pnl))))
    groups.append((3, line(("today " if scene.wide else "day ", "text-muted"), _pnl(status.today_pnl))))
    groups.append((6, line(("orders ", "text-muted"), str(status.orders))))
    groups.append((6, line(("control: ", "text-muted"), _controller(scene))))
    return [group for group in groups if group[1]]


def _cells(groups: list[tuple[int, Line]], gap: int) -> int:
    return sum(width_of(spans) for _, spans in groups) + gap * (len(groups) - 1)


def _room(clock: Line, width: int) -> int:
    return width - width_of(clock) - 1


def _fitted(groups: list[tuple[int, Line]], clock: Line, width: int) -> Line:
    """Two cells between the groups; what fits least is dropped first, the order never changes."""
    kept, room = list(groups), _room(clock, width)
    for gap, least in ((2, _NICE_TO_HAVE), (1, 1)):
        while _cells(kept, gap) > room and (worst := max(priority for priority, _ in kept)) >= least:
            del kept[max(index for index, (priority, _) in enumerate(kept) if priority == worst)]
        if _cells(kept, gap) <= room:
            break
    parts: list[Span | str] = []
    for index, (_, spans) in enumerate(kept):
        parts += ([" " * gap] if index else []) + list(spans)
    return ends(cut(line(*parts), room), clock, width)


def _clock(scene: Scene) -> Line:
    status = scene.view.status
    speed = status.speed if status is not None else 1.0
    world = scene.view.world_ms(scene.now)
    if speed == 1.0:
        return line((utc(world) + "Z", "strong"), " ")
    return line((utc(world, "%H:%M") + "Z", "strong"), (f" x{speed:g}", "text-muted"))


def _venue_chip(scene: Scene, index: int) -> Line:
    status = scene.view.status
    assert status is not None
    link = status.links[index]
    name = venue_short(link.venue)
    if scene.down:
        return line((name + " ?", "text-muted"))
    if link.state == "ok":
        return line(
            (name + " ", "text-muted"), ("ok", "good"), " " + fine_age(scene.ago_s(link.heartbeat_ns))
        )
    retry = "" if link.retry_at_ns is None else " " + countdown(scene.in_s(link.retry_at_ns))
    if link.state == "PAUSED" and link.opens_wall_ms is not None:
        retry = " " + countdown((link.opens_wall_ms - scene.now.wall_ms) / 1000)
    good_ns = link.traded_ns if link.state == "PAUSED" else link.heartbeat_ns
    last = f"  good {age(scene.ago_s(good_ns))} ago" if scene.wide and good_ns else ""
    word = f" {link.word or link.state}{retry}"
    return line((name + " ", "text-muted"), (word, "alarm"), (last, "text-muted"))


def _beat(scene: Scene, link: LinkRow) -> list[tuple[int, Line]]:
    """The countdown of a dead-man switch: worth the room once beats are missing."""
    said = None if scene.down else beat_word(scene, link)
    if said is None:
        return []
    return [(1 if said[1] == "alarm" else _NICE_TO_HAVE, line(said))]


def _nets(status: StatusRow) -> list[tuple[int, Line]]:
    """What would hold our orders without this engine; only what does not is worth the room."""
    found: list[tuple[int, Line]] = []
    if status.watchdog not in ("", "ok"):
        found.append((0, line((f" WATCHDOG {status.watchdog} ", "band"))))
    if status.groups == "not armed":
        found.append((1, line((" NO GROUPS ", "alarm"))))
    elif status.groups == "triggered" and status.level == "NORMAL":
        found.append((1, line((" GROUPS TRIGGERED ", "alarm"))))
    if status.renewals:
        found.append((3, line(("not renewed", "near"))))
    return found


def _feed_chips(scene: Scene, *, folded: bool) -> list[tuple[int, Line]]:
    status = scene.view.status
    assert status is not None
    if not scene.wide:
        feed = worst_feed(scene)
        if feed is None:
            return []
        word, role = feed_word(feed, scene)
        shown = age(feed_age_s(feed, scene)) if word == "ok" else word
        role = "text" if word == "ok" else role
        priority = 2 if word in ("ok", "closed") else 1
        return [(priority, line(("FEED ", "text-muted"), feed.name[:8] + " ", (shown, role)))]
    on = [feed for feed in feeds_of(scene) if feed.state not in ("OFF", "closed")]
    bad = worst_first((feed for feed in on if feed.state != "ok"), scene)
    chips: list[tuple[int, Line]] = [
        (1 if place == 0 else 3, line((feed.name + " ", "text-muted"), feed_word(feed, scene)))
        for place, feed in enumerate(bad[:_BAD_FEEDS_MAX])
    ]
    if len(bad) > _BAD_FEEDS_MAX:
        chips.append((3, line((f"+{len(bad) - _BAD_FEEDS_MAX} not ok", "near"))))
    live = [feed for feed in on if feed not in bad]
    families = [live] if folded else by_family(live).values()
    return chips + [(4, _family_chip(scene, family)) for family in families if family]


def _family_chip(scene: Scene, family: list[FeedRow]) -> Line:
    """The live source of these that is nearest to its limit, and how many more are live."""
    feed = max(family, key=lambda one: badness(one, scene))
    more = f" +{len(family) - 1} ok" if len(family) > 1 else ""
    aged = f" {age(feed_age_s(feed, scene))}"
    return line((feed.name + " ", "text-muted"), ("ok", "good"), aged, (more, "good"))


def _unknown(count: int) -> Line:
    return line((f" unk {count} ", "unknown")) if count else line(("unk ", "text-muted"), "0")


def _pnl(money: int | None) -> Span:
    role = "text" if not money else "gain" if money > 0 else "loss"
    return Span(signed_dollars(money), role)


def _controller(scene: Scene) -> str:
    """Who has control, and how many consoles look on."""
    status = scene.view.status
    assert status is not None
    who = "you" if scene.controls else _holder(status)
    return f"{who}, {status.viewers} looking on" if status.viewers else who


def _holder(status: StatusRow) -> str:
    return console_word(status.controller) or "nobody"


class StatusBar(LinePane):
    bare = True

    def show(self, scene: Scene) -> None:
        self.paint([status_line(scene)])

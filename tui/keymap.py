"""Which key does what on this console: the registry's keys, and those of ``[keys]`` in ``config.toml``.

The stop key cannot be taken away nor given to anything else, nothing spends by a key that moves or opens, and
no key means two things on one screen: a map that would is one sentence naming the file's line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import combinations
from typing import Any

import msgspec

from tui.actions import ACTIONS, NEEDED, OPENED, Action, Danger, for_viewers, works_on
from tui.keys import key_name, key_of

STOP_KEY = "ctrl+x"
STOP_ALSO = tuple(f"ctrl+{letter}" for letter in "glnorty")
"""What may stop the desk besides: one byte that the input thread sees, and that neither a terminal nor a
text field gives another meaning."""
BESIDE_APPROVE = ("s", "w", "z")
"""Nothing is put beside the key that approves."""
_SAME = {"ctrl+i": "Tab", "ctrl+m": "Enter", "ctrl+j": "Enter", "ctrl+h": "Backspace"}
"""What a terminal sends alike."""
_KEPT = ("ctrl+a", "ctrl+b", "ctrl+s", "ctrl+z")
_NAMED = re.compile(r"\{([a-z._]+)\}")


class KeymapError(Exception):
    """The map cannot be used; the text says why, ``action`` is the row it is about."""

    def __init__(self, action: str, why: str) -> None:
        super().__init__(why)
        self.action = action


class Keymap(msgspec.Struct, frozen=True, dict=True):
    """The actions with their keys, and the questions that the console asks of them."""

    actions: tuple[Action, ...] = ACTIONS
    warnings: tuple[str, ...] = ()
    """What the operator is told of it when the console opens."""

    @cached_property
    def _by_key(self) -> dict[str, list[Action]]:
        found: dict[str, list[Action]] = {}
        for action in self.actions:
            for key in action.keys:
                found.setdefault(key, []).append(action)
        return found

    def action_for(self, key: str, screen: str) -> Action | None:
        """The action of a key on a screen, or ``None``."""
        return next((action for action in self._by_key.get(key, ()) if works_on(action, screen)), None)

    def name(self, action_id: str) -> str:
        """How the first key of an action is written on the screen."""
        return next(key_name(action.keys[0]) for action in self.actions if action.id == action_id)

    def has(self, action_id: str, key: str) -> bool:
        """Whether a key is one of an action's, whatever the screen."""
        return any(action.id == action_id for action in self._by_key.get(key, ()))

    def spelt(self, text: str) -> str:
        """A sentence with the key of each action that it names in braces."""
        return _NAMED.sub(lambda found: self.name(found.group(1)), text)

    @property
    def stops(self) -> frozenset[int]:
        """The bytes by which the input thread knows the stop."""
        keys = next(action.keys for action in self.actions if action.danger is Danger.STOP)
        return frozenset(ord(key[-1]) & 0x1F for key in keys)

    def hints(
        self, screen: str, *, card: bool, spends: bool, controls: bool, width: int, more: bool = False
    ) -> list[tuple[str, str]]:
        """Key and label for the last line of a screen: what fits, the most needed first, in registry order.
        ``spends``: the card can be approved; ``more``: not all of an opened screen is in sight."""
        usable = [
            action
            for action in self.actions
            if action.label
            and works_on(action, screen)
            and (card or not action.card)
            and (spends or action.danger is not Danger.SPEND)
            and (controls or for_viewers(action))
        ]
        opened = [(self.name("back"), "back")] if screen in OPENED else []
        if opened and more:
            opened.append((self.name("move.page_down"), "more"))
        width -= sum(len(key) + len(label) + 3 for key, label in opened)
        kept: set[str] = set()
        for action in sorted(usable, key=_need):
            cells = len(key_name(action.keys[0])) + len(action.label) + 3
            if cells <= width:
                kept.add(action.id)
                width -= cells
        return opened + [(key_name(action.keys[0]), action.label) for action in usable if action.id in kept]

    def help_rows(self, screen: str) -> list[tuple[str, str, str]]:
        """Keys, help and danger of everything that works on a screen."""
        return [
            (" ".join(key_name(key) for key in action.keys), action.help, action.danger.value)
            for action in self.actions
            if works_on(action, screen)
        ]


def _need(action: Action) -> int:
    """Place of a hint when there is no room for all: the card's keys, then as listed."""
    return NEEDED.index(action.id) if action.id in NEEDED or not action.card else -1


USUAL = Keymap()
"""The registry as it stands."""


def keymap(table: Mapping[str, Any]) -> Keymap:
    """The registry with the keys of ``[keys]``; raises ``KeymapError``."""
    known = {action.id: action for action in ACTIONS}
    changed: dict[str, Action] = {}
    for name, value in _flat(table):
        action = known.get(name)
        if action is None:
            import difflib

            near = difflib.get_close_matches(name, known, n=1)
            remedy = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
            raise KeymapError(name, f"there is no action {name[:40]!r}: {remedy}")
        keys = (value,) if isinstance(value, str) else value
        if not isinstance(keys, list | tuple) or not keys or not all(isinstance(key, str) for key in keys):
            raise KeymapError(name, f"{name} must be a key such as 'F5', or a list of keys")
        changed[name] = action._replace(keys=tuple(dict.fromkeys(_key(name, key) for key in keys)))
    actions = tuple(changed.get(action.id, action) for action in ACTIONS)
    for action in changed.values():
        _allow(action)
    _no_clash(actions, changed)
    return Keymap(actions, tuple(_swapped(actions)))


def _flat(table: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Names and values, whether ``card.approve`` stands in quotes or was read as a table in a table."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield before + name, value


def _key(action: str, text: str) -> str:
    """Textual's name of a key that is written as on the screen or by that name."""
    key = key_of(text)
    if key is None:
        remedy = "write it as the help page does, such as '^G' or 'F5'"
        raise KeymapError(action, f"{action}: there is no key {text[:20]!r}: {remedy}")
    if key in _SAME:
        raise KeymapError(action, f"{action} cannot be {text}: a terminal sends {_SAME[key]} for it")
    if key in _KEPT:
        raise KeymapError(action, f"{action} cannot be {text}: terminals and tmux keep it to themselves")
    return key


def _allow(action: Action) -> None:
    """Refuse keys that an action may not have, whatever the others have."""
    from tui.veto import REASONS  # and with it the tables, which no verb of the shell needs

    for key in action.keys:
        shown = key_name(key)
        if action.danger is Danger.STOP:
            if key != STOP_KEY and key not in STOP_ALSO:
                also = ", ".join(map(key_name, STOP_ALSO))
                raise KeymapError(action.id, f"{shown} cannot stop the desk: besides ^X one of {also} can")
        elif key == STOP_KEY:
            raise KeymapError(
                action.id, f"{action.id} cannot be ^X, which stops the desk and does nothing else"
            )
        elif action.danger is Danger.SPEND and not (len(key) == 1 and key.isalpha()):
            raise KeymapError(action.id, f"{action.id} spends, so its key is a letter, not {shown}")
        elif action.id == "card.veto" and key in REASONS:
            raise KeymapError(action.id, f"card.veto cannot be {shown}: once it is sent that is a reason")
        elif key in BESIDE_APPROVE:
            raise KeymapError(action.id, f"{shown} stays free: it lies beside the key that approves")
    if action.danger is Danger.STOP and STOP_KEY not in action.keys:
        raise KeymapError(action.id, f"^X cannot be taken from stop: write stop = ['^X', {shown!r}]")


def _no_clash(actions: tuple[Action, ...], changed: Mapping[str, Action]) -> None:
    for one, other in combinations(actions, 2):
        meet = not (one.screens and other.screens) or {*one.screens} & {*other.screens}
        shared = {*one.keys} & {*other.keys}
        if meet and shared:
            first, second = (one, other) if one.id in changed else (other, one)
            key = key_name(min(shared))
            raise KeymapError(first.id, f"{key} cannot be {first.id}: it is {second.id} already")


def _swapped(actions: tuple[Action, ...]) -> Iterator[str]:
    keys = {action.id: action.keys for action in actions}
    if "x" in keys["card.approve"] or "a" in keys["card.veto"]:
        approve, veto = (key_name(keys[name][0]) for name in ("card.approve", "card.veto"))
        yield f"[keys]: {approve} approves and {veto} vetoes here, the other way round than usual"

"""What a typed text can become: commands, their words, markets, for Tab and for the line that tells them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import takewhile
from typing import NamedTuple

from tui.actions import COMMANDS, CommandSpec, command_spec
from tui.market_names import alike
from tui.theme_files import theme_names
from tui.veto import REASONS
from tui.view_model import ViewModel

TOLD_MAX = 40
"""So many choices are told at most; the rest is for whoever types on."""


class Completion(NamedTuple):
    """What a typed text can become."""

    choices: Sequence[str] = ()
    """Whole texts, in the place of the typed one."""
    told: str = ""

    def further(self, text: str) -> str:
        """The typed text as far as all its choices agree."""
        if len(self.choices) == 1:
            return self.choices[0] + " "
        columns = takewhile(lambda letters: len({*letters}) == 1, zip(*self.choices, strict=False))
        shared = "".join(letters[0] for letters in columns)
        return shared if shared.casefold().startswith(text.casefold()) else text


Completer = Callable[[str], Completion]


class Known(NamedTuple):
    """Where names come from."""

    view: ViewModel
    themes: Callable[[], Iterable[str]] = theme_names
    watchlists: Callable[[], Iterable[str]] = tuple


Names = Callable[[Known], Iterable[str]]


def _markets(known: Known) -> Iterable[str]:
    return (static.ticker for static in known.view.statics.values())


def _orders(known: Known) -> Iterable[str]:
    return (row.client_order_id for row in known.view.working())


def _strategies(known: Known) -> Iterable[str]:
    view = known.view
    cards = {row.strategy for row in view.proposals.values()}
    paused = set(view.status.paused) if view.status is not None else set()
    return sorted(cards | paused)


def _held(known: Known) -> Iterable[str]:
    view = known.view
    return (view.statics[row.key].ticker for row in view.held() if row.key in view.statics)


def _limits(known: Known) -> Iterable[str]:
    return sorted({name for name, _ in known.view.limits})


def _feeds(known: Known) -> Iterable[str]:
    status = known.view.status
    return sorted({feed.source for feed in status.feeds}) if status is not None else ()


def _cards(known: Known) -> Iterable[str]:
    return (row.id for row in known.view.cards())


def _alarms(known: Known) -> Iterable[str]:
    return (str(row.id) for row in known.view.unacknowledged())


_NAMED: dict[str, Names] = {
    "CARD": _cards,
    "ID": _alarms,
    "LIST": lambda known: known.watchlists(),
    "MARKET": _markets,
    "ORDER": _orders,
    "STRATEGY": _strategies,
}
"""What a word of a usage stands for; small letters stand for themselves."""
_OTHERWISE: dict[str, tuple[Names, ...]] = {
    "alarms": (lambda known: ("ack", "shelve", "unshelve", "test"), lambda known: ("all", *_alarms(known))),
    "close": (_held,),
    "exit-at": (_held,),
    "feeds": (lambda known: ("test", "confirm"), _feeds),
    "limit": (_limits,),
    "theme": (lambda known: known.themes(),),
    "veto": (lambda known: REASONS.values(),),
}
"""Commands whose usage does not say it."""


def words_of(spec: CommandSpec) -> tuple[Names, ...]:
    """The words of a command in their order, as its usage has them."""
    usage = spec.usage.replace("[", "").replace("]", "").split()
    return _OTHERWISE.get(spec.name) or tuple(map(_either, usage))


def _either(word: str) -> Names:
    """A word of a usage with its alternatives, such as ``MARKET|cash``."""

    def names(known: Known) -> Iterable[str]:
        for part in word.split("|"):
            yield from (part,) if part.islower() else _NAMED[part](known) if part in _NAMED else ()

    return names


def of_command(known: Known) -> Completer:
    """Completes a command and its words."""

    def complete(text: str) -> Completion:
        head, space, rest = text.lstrip().partition(" ")
        if not space:
            specs = [spec for spec in COMMANDS if spec.name.startswith(head)]
            if len(specs) == 1:
                return Completion([specs[0].name], f"{specs[0].name} {specs[0].usage}  {specs[0].help}")
            names = [spec.name for spec in specs]
            return Completion(names, "  ".join(names) or "no such command")
        spec = command_spec(head)
        if spec is None:
            return Completion(told="no such command")
        *before, word = rest.split(" ")
        slots = words_of(spec)
        found = _matching(word, slots[len(before)](known), known.view) if len(before) < len(slots) else []
        usage = f"{spec.name} {spec.usage}".rstrip()
        told = f"{head}: {_told(found)}" if found and (word or len(slots) == 1) else f"{usage}  {spec.help}"
        return Completion([" ".join((head, *before, name)) for name in found], told)

    return complete


def of_market(known: Known) -> Completer:
    """Completes a market's ticker, from any part of its ticker or label."""

    def complete(text: str) -> Completion:
        keys = markets_like(known.view, text)
        told = _told([known.view.named(key) for key in keys]) or "no market has that in its name"
        tickers = [known.view.statics[key].ticker for key in keys]
        return Completion(tickers, told if text.strip() else "go to market: any part of its name")

    return complete


def markets_like(view: ViewModel, name: str) -> list[int]:
    """Keys of the markets meant by a name."""
    return alike(name, ((key, static.label, static.ticker) for key, static in view.statics.items()))


def _matching(word: str, names: Iterable[str], view: ViewModel) -> list[str]:
    """The names that start with what was typed, else those of markets that have it in ticker or label."""
    names = list(dict.fromkeys(names))
    starts = [name for name in names if name.casefold().startswith(word.casefold())]
    if starts or not word:
        return starts
    like = {view.statics[key].ticker for key in markets_like(view, word)}
    return [name for name in names if name in like]


def _told(names: Sequence[str]) -> str:
    more = f"  and {len(names) - TOLD_MAX} more" if len(names) > TOLD_MAX else ""
    return "  ".join(names[:TOLD_MAX]) + more

"""One stop of the whole desk: a ladder on every venue, begun in one step under one countdown.

The ladders go down side by side; none waits for another. What is shown and journalled is their joint
state: a stop is as far as its slowest ladder, and flat once all of them are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from core.domain.clock import Clocks
from core.domain.market import Venue
from core.domain.units import Money
from core.execution.flatten import Flattener
from core.execution.ladder import UNREAD, Ladder, Phase
from core.execution.points import Point, Reach

SLOWEST = (
    Phase.CANCELLING,
    Phase.COUNTDOWN,
    Phase.EXITING,
    Phase.VERIFYING,
    Phase.UNFLATTENED,
    Phase.ABORTED,
    Phase.FLAT,
)
"""The joint phase is the first of these any ladder is in."""


class Stop:
    """See the module. ``flatteners`` is filled before anything runs."""

    def __init__(self, clocks: Clocks, on_change: Callable[[Ladder], None], reach: Reach) -> None:
        self._clocks = clocks
        self._on_change = on_change
        self._reach = reach
        self._beginning = False
        self.flatteners: dict[Venue, Flattener] = {}

    @property
    def ladders(self) -> dict[Venue, Ladder]:
        """The running or last ladder of each venue that had one."""
        return {v: f.ladder for v, f in self.flatteners.items() if f.ladder is not None}

    @property
    def ladder(self) -> Ladder | None:
        """All of them as one; ``None`` before the first stop."""
        return joint(self.ladders)

    @property
    def running(self) -> bool:
        return any(flattener.running for flattener in self.flatteners.values())

    @property
    def can_be_stopped(self) -> bool:
        """Whether nothing is being sold anywhere and something could be."""
        going = [ladder for ladder in self.ladders.values() if not ladder.over or ladder.watches]
        return bool(going) and all(ladder.can_be_stopped for ladder in going)

    def changed(self, _: Ladder) -> None:
        """One ladder moved."""
        ladder = self.ladder
        if ladder is not None and not self._beginning:
            self._on_change(ladder)

    def start(self, by: str, *, now: bool, sweep: bool = False) -> Ladder:
        """Cancel everything of ours everywhere in this step, or join the stop that runs.

        Where that stop is over already, it begins anew at once if there is something left to do.
        """
        began_ns, joins = self._clocks.mono_ns(), self.running
        self._beginning = True
        try:
            for flattener in self.flatteners.values():
                if not joins or flattener.running or flattener.something_left(sweep=sweep):
                    at_once = now or (joins and not flattener.running)
                    flattener.start(by, began_ns, now=at_once, sweep=sweep)
        finally:
            self._beginning = False
        ladder = self.ladder
        assert ladder is not None, "a desk has at least one venue"
        self._on_change(ladder)
        if not joins:
            self._reach(Point.FLATTEN_BEGUN)
        return ladder

    def abort(self) -> bool:
        """Keep what has not been sold; halted and cancelled all the same. False once something was sold."""
        if not self.can_be_stopped:
            return False
        for flattener in self.flatteners.values():
            flattener.abort()
        return True

    def let_go(self) -> None:
        """Look no more at what an ended stop left: an operator has resumed."""
        for flattener in self.flatteners.values():
            flattener.let_go()

    def skip(self) -> bool:
        """End the countdown now. False once exits have begun everywhere."""
        skipped = [flattener.skip() for flattener in self.flatteners.values()]
        return any(skipped)

    def hurry(self) -> bool:
        """Sell down to the widest protection from the next slice on. False unless exits are under way."""
        hurried = [flattener.hurry() for flattener in self.flatteners.values()]
        return any(hurried)


def joint(ladders: Mapping[Venue, Ladder]) -> Ladder | None:
    """Several ladders as one; a single one is itself."""
    each = tuple(ladders.values())
    if len(each) <= 1:
        return each[0] if each else None
    over = all(ladder.over for ladder in each)
    first = min(each, key=lambda ladder: ladder.started_ns)
    swept = [ladder.swept_ns for ladder in each if ladder.sweeps]
    ended = [ladder.ended_ns for ladder in each if ladder.ended_ns is not None]
    worth = [ladder.worth for ladder in each if ladder.worth is not None]
    whole = Ladder(
        started_ns=first.started_ns,
        exits_at_ns=first.exits_at_ns,
        by=first.by,
        cancelling=tuple(client for ladder in each for client in ladder.cancelling),
        selling=sum(ladder.selling for ladder in each),
        worth=Money(sum(worth)) if len(worth) == len(each) else None,
        phase=min((ladder.phase for ladder in each), key=SLOWEST.index),
        sweeps=bool(swept),
        swept_ns=_latest(swept),
        urgent=any(ladder.urgent for ladder in each),
        pauses={ticker: pause for ladder in each for ticker, pause in ladder.pauses.items()},
        exits_sent=sum(ladder.exits_sent for ladder in each),
        exits_filled=sum(ladder.exits_filled for ladder in each),
        left=sum(ladder.left for ladder in each),
        sold=sum(ladder.sold for ladder in each),
        cost=sum(ladder.cost for ladder in each),
        residue=_residue(ladders),
        watches=any(ladder.watches for ladder in each),
        pressed=max(ladder.pressed for ladder in each),
        ended_ns=max(ended) if over and ended else None,
    )
    if over:
        whole.receipt = _receipt(whole, ladders)
    return whole


def _receipt(whole: Ladder, ladders: Mapping[Venue, Ladder]) -> str:
    """All of them together first, where they ran to their end: a narrow screen shows no more of it. What is
    left is said once, and nothing of a venue's own sum where all are flat and it sold nothing."""
    flat = whole.phase is Phase.FLAT
    parts = []
    for venue, ladder in ladders.items():
        said = Phase.FLAT if flat and not ladder.exits_filled else Phase.UNFLATTENED
        parts.append(f"{venue.short} {ladder.receipt.removeprefix(f'{ladder.summed(said)}. ')}")
    ran = whole.phase is not Phase.ABORTED
    return ". ".join([whole.summed(whole.phase), *parts] if ran else parts)


def _latest(times: Sequence[int | None]) -> int | None:
    """``None`` while one is missing."""
    known = [time for time in times if time is not None]
    return max(known) if known and len(known) == len(times) else None


def _residue(ladders: Mapping[Venue, Ladder]) -> dict[str, str]:
    """Two venues that could not be read are two."""
    return {
        f"{venue.short} {ticker}" if ticker == UNREAD else ticker: why
        for venue, ladder in ladders.items()
        for ticker, why in ladder.residue.items()
    }

"""Line charts in text cells: braille dots, or a character a cell where a terminal's font has none.

Whole numbers in the units of ``core/domain/units.py`` and Unix milliseconds in, lines out; nothing is kept.
A value holds until the next one: prices, fair values and results are steps, and nothing is drawn between
two of them that nobody saw. However many points, a column of dots shows its lowest and its highest.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from itertools import chain, groupby
from typing import NamedTuple

from tui.format import cents, count, utc
from tui.lines import Line, Span, line

LEAST_WIDTH, LEAST_HEIGHT = 24, 5
"""Cells below which a chart says nothing."""
MARK_EVERY = 20
"""Cells from one marker on a line to the next: what tells lines apart without colour."""
_MARK_SHIFT = 7
_FEWEST = 3
"""Ticks asked for at least: of a finer step there are more than these, so of the next there is one."""
_TICK_CELLS = 12
_TICK_ROWS = 2

_MANTISSAS = (1, 2, 5)
_SECOND = 1_000
_TIME_STEPS = tuple(
    _SECOND * seconds
    for seconds in (
        1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200,
        86_400, 172_800, 604_800, 2_592_000,
    )
)  # fmt: skip


class Unit(Enum):
    """What an axis counts. The value is the finest step between two of its ticks."""

    CENTS = 10
    """Prices, in ten-thousandths of a dollar."""
    DOLLARS = 10_000
    """Money, in millionths of a dollar."""
    CONTRACTS = 1_000_000
    """Quantities, in millionths of a contract."""
    PERCENT = 100
    """Shares, in ten-thousandths."""
    TIME = _SECOND
    """Unix milliseconds."""


class Run(NamedTuple):
    """Points without a gap between them, ``xs`` rising."""

    xs: Sequence[int]
    ys: Sequence[int]


class Series(NamedTuple):
    """One line, or with ``joined`` false points that stand for themselves."""

    name: str
    marker: str
    role: str
    runs: tuple[Run, ...]
    joined: bool = True


class Chart(NamedTuple):
    """What is drawn. ``across`` and ``upright`` are the ends of the axes; what lies outside is left out."""

    series: tuple[Series, ...]
    x: Unit
    y: Unit
    across: tuple[int, int]
    upright: tuple[int, int]


def runs_of(xs: Sequence[int], ys: Sequence[int | None]) -> tuple[Run, ...]:
    """Points parted where there is no value; each run lasts until its value was lost."""
    runs: list[Run] = []
    for known, points in groupby(zip(xs, ys, strict=True), key=lambda point: point[1] is not None):
        pairs = list(points)
        if known:
            runs.append(Run([x for x, _ in pairs], [y for _, y in pairs if y is not None]))
        elif runs:
            last = runs[-1]
            runs[-1] = Run([*last.xs, pairs[0][0]], [*last.ys, last.ys[-1]])
    return tuple(runs)


def ends_of(values: Iterable[int], unit: Unit) -> tuple[int, int] | None:
    """Lowest and highest with room for a tick between them; ``None`` without values."""
    found = list(values)
    if not found:
        return None
    low, high = min(found), max(found)
    missing = 2 * unit.value - (high - low)
    return (low - missing // 2, high + missing - missing // 2) if missing > 0 else (low, high)


def upright_of(series: Iterable[Series], unit: Unit) -> tuple[int, int] | None:
    """Ends of an upright axis that shows all of them; ``None`` without points."""
    return ends_of(chain.from_iterable(run.ys for one in series for run in one.runs), unit)


# --- axes ----------------------------------------------------------------------------------------


def tick_step(low: int, high: int, most: int, unit: Unit) -> int:
    """The finest round step with at most ``most`` multiples between the ends, three being allowed always."""
    steps = _steps(unit)
    step = next(steps)
    while high // step + -low // step + 1 > max(_FEWEST, most):
        step = next(steps, 2 * step)
    return step


def ticks(low: int, high: int, step: int) -> range:
    """Multiples of ``step`` from one end to the other, both included."""
    return range(-(-low // step) * step, high + 1, step)


def _steps(unit: Unit) -> Iterator[int]:
    if unit is Unit.TIME:
        yield from _TIME_STEPS
        return
    power = unit.value
    while True:
        yield from (power * mantissa for mantissa in _MANTISSAS)
        power *= 10


def label(value: int, step: int, unit: Unit) -> str:
    """A tick's text, with as many digits as its step needs."""
    match unit:
        case Unit.CENTS:
            return cents(value, step)
        case Unit.DOLLARS:
            return f"{value / 1_000_000:.{0 if step % 1_000_000 == 0 else 2}f}"
        case Unit.CONTRACTS:
            return count(value)
        case Unit.PERCENT:
            return f"{value // 100}%"
        case Unit.TIME:
            form = "%H:%M:%S" if step < 60 * _SECOND else "%H:%M" if step < 86_400 * _SECOND else "%m-%d"
            return utc(value, form)


# --- the grid -------------------------------------------------------------------------------------

_DOT_COLUMNS, _DOT_ROWS = 2, 4
_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
"""Bits of a braille cell by column, top to bottom."""
_BRAILLE = [" ", *map(chr, range(0x2801, 0x2900))]
_FROM = [[sum(dots[top:]) for top in range(_DOT_ROWS)] for dots in _DOTS]
_TO = [[sum(dots[: end + 1]) for end in range(_DOT_ROWS)] for dots in _DOTS]


class Scale(NamedTuple):
    """Places on an axis of ``places`` equal parts."""

    low: int
    high: int
    places: int

    def across(self, x: int) -> int:
        """From the left."""
        return min(self.places - 1, (x - self.low) * self.places // (self.high - self.low))

    def down(self, y: int) -> int:
        """From the top."""
        return min(self.places - 1, (self.high - y) * self.places // (self.high - self.low))

    def inside(self, value: int) -> bool:
        return self.low <= value <= self.high

    def clamped(self, value: int) -> int:
        return min(self.high, max(self.low, value))

    def begins(self, place: int) -> int:
        """The first value from the left that lies in ``place`` or after it."""
        return self.low + -(-place * (self.high - self.low) // self.places)


def extremes(run: Run, scale: Scale) -> list[tuple[int, int] | None]:
    """Lowest and highest value of each place, the value that is held as it begins included; ``None`` before
    the run begins and once it has ended."""
    xs, ys = run.xs, run.ys
    found: list[tuple[int, int] | None] = [None] * scale.places
    at = bisect_left(xs, scale.low)
    end = bisect_left(xs, scale.high + 1)
    held = ys[at - 1] if at else None
    if not xs or xs[-1] < scale.low or (at == end and held is None):
        return found
    first = scale.across(xs[at]) if held is None else 0
    last = scale.across(min(xs[-1], scale.high))
    for place in range(first, last + 1):
        until = bisect_left(xs, scale.begins(place + 1), at, end) if place < scale.places - 1 else end
        if until > at:
            here = ys[at:until]
            low, high = min(here), max(here)
            if held is not None:
                low, high = min(low, held), max(high, held)
            held, at = ys[until - 1], until
            found[place] = low, high
        elif held is not None:
            found[place] = held, held
    return found


class _Grid:
    """Cells of dots, each with the series that drew in it last, and what stands in place of dots."""

    def __init__(self, chart: Chart, width: int, height: int, *, dots: bool) -> None:
        self._width, self._height, self._dots = width, height, dots
        self._bits = [[0] * width for _ in range(height)]
        self._owner = [[-1] * width for _ in range(height)]
        self._signs: list[dict[int, str]] = [{} for _ in range(height)]
        self._chart = chart
        self._columns = Scale(*chart.across, width * (_DOT_COLUMNS if dots else 1))
        self._rows = Scale(*chart.upright, height * (_DOT_ROWS if dots else 1))
        self._cells_across = Scale(*chart.across, width)
        self._cells_down = Scale(*chart.upright, height)

    def draw(self) -> list[Line]:
        for number, series in enumerate(self._chart.series):
            for run in series.runs if series.joined else ():
                self._join(number, extremes(run, self._columns))
        for number, series in enumerate(self._chart.series):
            for run in series.runs:
                self._mark(number, series, run)
        return [self._row(y) for y in range(self._height)]

    def _join(self, number: int, columns: list[tuple[int, int] | None]) -> None:
        rows = self._rows
        draw = self._stroke if self._dots else self._letters
        for column, ends in enumerate(columns):
            if ends is None:
                continue
            low, high = ends
            if high >= rows.low and low <= rows.high:
                draw(number, column, rows.down(rows.clamped(high)), rows.down(rows.clamped(low)))

    def _stroke(self, number: int, column: int, top: int, bottom: int) -> None:
        x, side = divmod(column, _DOT_COLUMNS)
        first, begins = divmod(top, _DOT_ROWS)
        last, ends = divmod(bottom, _DOT_ROWS)
        bits, owner = self._bits, self._owner
        if first == last:
            bits[first][x] |= _FROM[side][begins] & _TO[side][ends]
            owner[first][x] = number
            return
        bits[first][x] |= _FROM[side][begins]
        whole = _FROM[side][0]
        for y in range(first + 1, last):
            bits[y][x] |= whole
            owner[y][x] = number
        bits[last][x] |= _TO[side][ends]
        owner[first][x] = owner[last][x] = number

    def _letters(self, number: int, column: int, top: int, bottom: int) -> None:
        marker = self._chart.series[number].marker
        for y in range(top, bottom + 1):
            self._put(number, column, y, marker)

    def _mark(self, number: int, series: Series, run: Run) -> None:
        """The marker at every point that stands for itself; on a line now and then, and where it ends."""
        across, down = self._cells_across, self._cells_down
        if not series.joined:
            for x, y in zip(run.xs, run.ys, strict=True):
                if across.inside(x) and down.inside(y):
                    self._put(number, across.across(x), down.down(y), series.marker)
            return
        ending = across.across(run.xs[-1]) if across.inside(run.xs[-1]) else self._width - 1
        cells = {*range(_MARK_SHIFT * number % MARK_EVERY, self._width, MARK_EVERY), ending}
        for cell in cells:
            at = bisect_left(run.xs, across.begins(cell + 1)) - 1 if cell < ending else len(run.xs) - 1
            begun = at >= 0 and run.xs[0] < across.begins(cell + 1)
            if begun and cell <= ending and run.xs[-1] >= across.low and down.inside(run.ys[at]):
                self._put(number, cell, down.down(run.ys[at]), series.marker)

    def _put(self, number: int, x: int, y: int, sign: str) -> None:
        self._signs[y][x] = sign
        self._owner[y][x] = number

    def _row(self, y: int) -> Line:
        texts = [_BRAILLE[bits] for bits in self._bits[y]]
        for x, sign in self._signs[y].items():
            texts[x] = sign
        spans: list[Span] = []
        at = 0
        for owner, cells in groupby(self._owner[y]):
            end = at + len(list(cells))
            spans.append(
                Span("".join(texts[at:end]), self._chart.series[owner].role if owner >= 0 else "text")
            )
            at = end
        return line(*spans)


def draw(chart: Chart, width: int, height: int, *, dots: bool) -> list[Line]:
    """The chart with both axes in ``width`` by ``height`` cells; nothing where that is too little."""
    if width < LEAST_WIDTH or height < LEAST_HEIGHT:
        return []
    tall = height - 2
    step = tick_step(*chart.upright, tall // _TICK_ROWS, chart.y)
    down = Scale(*chart.upright, tall)
    named = {down.down(value): label(value, step, chart.y) for value in ticks(*chart.upright, step)}
    margin = max(map(len, named.values()), default=0)
    wide = width - margin - 1
    rows = []
    for y, cells in enumerate(_Grid(chart, wide, tall, dots=dots).draw()):
        edge = f"{named[y]:>{margin}}┤" if y in named else f"{'':{margin}}│"
        rows.append(line((edge, "text-muted"), *cells))
    return [*rows, *_floor(chart, margin, wide)]


def _floor(chart: Chart, margin: int, wide: int) -> list[Line]:
    """The lower axis: its rule with ticks, and the labels that have room."""
    step = tick_step(*chart.across, wide // _TICK_CELLS, chart.x)
    across = Scale(*chart.across, wide)
    rule, names = ["─"] * wide, ""
    for value in ticks(*chart.across, step):
        cell = across.across(value)
        rule[cell] = "┬"
        text = label(value, step, chart.x)
        begins = max(0, min(wide - len(text), cell - len(text) // 2))
        if begins > len(names) or not names:
            names = names.ljust(begins) + text
    return [
        line((" " * margin + "└" + "".join(rule), "text-muted")),
        line((" " * (margin + 1) + names, "text-muted")),
    ]


def legend(chart: Chart, room: int) -> Line:
    """Markers and names of the series that have points; where these have no room, each marker as the first
    letter of its name, at last markers alone."""
    shown = [series for series in chart.series if any(run.xs for run in series.runs)]
    beside = [f" {one.name}" for one in shown]
    begins = (one.name[:1].casefold() == one.marker.casefold() for one in shown)
    within = [name[2:] if begun else name for name, begun in zip(beside, begins, strict=True)]
    for gap, names in (("  ", beside), (" ", beside), (" ", within), (" ", [""] * len(shown))):
        parts: list[tuple[str, str]] = []
        for series, name in zip(shown, names, strict=True):
            parts += [(gap if parts else "", "text"), (series.marker, series.role), (name, "text-muted")]
        if sum(len(text) for text, _ in parts) <= room:
            break
    return line(*parts)

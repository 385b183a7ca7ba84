"""``python -m tests.bench.table_app live|data SECONDS``: one table on a fast stream; its figures at the end.

Both tables show the same texts in ten columns, updated the way each is best at: ``DataTable`` cell by cell,
``LiveTable`` with its rows drawn anew. Figures go to ``$TABLE_FIGURES`` as JSON.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from pathlib import Path
from typing import Any

from tui import textual_environment

ROWS, COLUMNS, SHARE, HZ = 500, 10, 0.2, 20.0
WIDTH = 12


def main(kind: str, seconds: float) -> None:
    textual_environment.decide()
    os.environ["TEXTUAL_FPS"] = str(int(HZ))
    from textual.app import App, ComposeResult
    from textual.events import Key
    from textual.widgets import DataTable

    from tui.lines import Span, line
    from tui.scene import Scene
    from tui.tables import Now
    from tui.theme_files import DEFAULT_THEME
    from tui.theming import load_theme
    from tui.view_model import ViewModel
    from tui.widgets.live_table import Column, LiveTable

    rng = random.Random(1)
    cells = {key: [_figure(rng) for _ in range(COLUMNS)] for key in range(ROWS)}
    names = [f"c{at}" for at in range(COLUMNS)]

    def cell(at: int) -> Any:
        return lambda _scene, key: Span(cells[key][at])

    class TableApp(App[None]):
        CSS = "LiveTable { height: 1fr; }"
        ticks = 0
        begun = 0.0
        cpu = 0.0
        keys_ms: list[float] = []

        def compose(self) -> ComposeResult:
            columns = [Column(name, name, WIDTH, 1, cell(at)) for at, name in enumerate(names)]
            yield LiveTable(columns, id="table") if kind == "live" else DataTable(id="table")

        def on_mount(self) -> None:
            self.register_theme(load_theme(DEFAULT_THEME))
            self.theme = DEFAULT_THEME
            self.set_timer(1.0, self.begin)

        def begin(self) -> None:
            table = self.screen.query_one("#table")
            if isinstance(table, DataTable):
                for name in names:
                    table.add_column(name, key=name, width=WIDTH)
                for key, row in cells.items():
                    table.add_row(*row, key=str(key))
            table.focus()
            self.begun, self.cpu = time.monotonic(), time.process_time()
            self.set_interval(1 / HZ, self.update)

        def update(self) -> None:
            if time.monotonic() - self.begun >= seconds:
                self.exit()
                return
            self.ticks += 1
            table: Any = self.screen.query_one("#table")
            for place in rng.sample(range(ROWS * COLUMNS), int(ROWS * COLUMNS * SHARE)):
                key, at = divmod(place, COLUMNS)
                cells[key][at] = _figure(rng)
                if kind == "data":
                    table.update_cell(str(key), names[at], cells[key][at])
            if kind == "live":
                self.draw(table)

        def draw(self, table: LiveTable) -> None:
            now = Now(time.monotonic_ns(), 0)
            table.paint_rows(Scene(ViewModel(), now, self.size.width), list(cells), line("TABLE"))

        def on_event(self, event: Any) -> Any:
            if isinstance(event, Key) and self.begun:
                self.keys_ms.append((time.monotonic() - event.time) * 1000)
            return super().on_event(event)

    app = TableApp()
    app.run()
    figures = {
        "hz": app.ticks / (time.monotonic() - app.begun),
        "cpu_ms": (time.process_time() - app.cpu) * 1000 / app.ticks,
        "keys_ms": app.keys_ms,
    }
    Path(os.environ["TABLE_FIGURES"]).write_text(json.dumps(figures))


def _figure(rng: random.Random) -> str:
    return f"{rng.randrange(10_000) / 100:.2f}"


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))

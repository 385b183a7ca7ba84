"""``python -m tests.desk.mortal POINT engine run``: the command line, killed as it first comes by a point."""

from __future__ import annotations

import os
import signal
import sys
from functools import partial

from core.control import building
from core.engine.engine import Ports
from core.execution.points import Point
from tui.cli import main


def mortal(last: Point) -> partial[Ports]:
    """Ports of an engine that gets SIGKILL at that point."""

    def reach(point: Point) -> None:
        if point is last:
            os.kill(os.getpid(), signal.SIGKILL)

    return partial(Ports, reach=reach)


if __name__ == "__main__":
    building.Ports = mortal(Point(sys.argv.pop(1)))  # type: ignore[misc,assignment]
    main()

"""``pmconsole engine run`` on a slow disk: every commit of the journal takes 900 ms."""

from __future__ import annotations

import time
from typing import Any

from core.journal.writer import Writer

COMMIT_S = 0.9


def main() -> None:
    honest = Writer._commit

    def slow(self: Writer, *given: Any) -> Any:
        time.sleep(COMMIT_S)
        return honest(self, *given)

    Writer._commit = slow  # type: ignore[method-assign]
    from tui.cli import main as cli

    cli()


if __name__ == "__main__":
    main()

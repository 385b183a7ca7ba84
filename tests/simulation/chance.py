"""One seed, many independent dice: a draw more in one never shifts the others."""

from __future__ import annotations

import random
from collections.abc import Callable


class Chance:
    """Streams of chance by name, all of one seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def stream(self, name: str) -> random.Random:
        """A stream of its own. Seeding by text uses no hash of this process."""
        return random.Random(f"{self.seed} {name}")

    def ids(self, name: str) -> Callable[[], str]:
        """Unique texts as a venue hands them out."""
        rng = self.stream(name)
        return lambda: f"{rng.getrandbits(128):032x}"

"""Who listens to simulated channels, without any connection."""


class Following:
    """Follows these indices on the channel of seconds."""

    def __init__(self, ids: set[str]) -> None:
        self._ids = ids

    def follows_index(self, index_id: str) -> bool:
        return index_id in self._ids

    def follows_fast_index(self, index_id: str) -> bool:
        return False

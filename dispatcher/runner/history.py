"""What the store knows of an input of a pod before an attempt at it."""

from __future__ import annotations

import json

from .keys import RunKeys, numbers
from .store import Missing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .store import Store


class History:
    """Of all inputs of one run. The store's own faults are raised by every question."""

    def __init__(self, store: Store, run: str) -> None:
        self._store, self._keys = store, RunKeys(run)

    def committed(self, index: int) -> str:
        """The state that an index was committed with; empty where it was not."""
        try:
            data = self._store.get(self._keys.manifest(index))
        except Missing:
            return ""
        return str(json.loads(data)["state"])

    def attempts(self, index: int) -> list[int]:
        """The numbers of the attempts that started a command."""
        return numbers(self._store.names(self._keys.index(index)))

    def cancelled(self, index: int) -> bool:
        """Whether somebody asked for the end of this index, or of the run."""
        keys = (self._keys.cancel, self._keys.cancel_index(index))
        return any(self._store.has(key) for key in keys)

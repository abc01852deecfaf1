"""Which open calls are for whom, and which of them each reader is not known to have been told.

Kept by call and, as long as something is untold, by reader: a reader who has been told all costs
nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

_NONE: frozenset[int] = frozenset()


class Outstanding:
    """Contacts and the clusters that are for them."""

    def __init__(self) -> None:
        self._readers: dict[int, set[int]] = defaultdict(set)
        self._untold: dict[int, set[int]] = {}

    def found(self, contact_id: int, clusters: Iterable[int]) -> None:
        """Those calls are for that reader; whether they were told is not known."""
        chosen = set(clusters)
        for cluster_id in chosen:
            self._readers[cluster_id].add(contact_id)
        if chosen:
            self._untold.setdefault(contact_id, set()).update(chosen)

    def told(self, contact_id: int, clusters: Iterable[int]) -> None:
        """The reader knows of those."""
        left = self._untold.get(contact_id)
        if left is not None:
            left.difference_update(clusters)
            if not left:
                del self._untold[contact_id]

    def give_back(self, contact_id: int, cluster_id: int) -> None:
        """What was told may not have arrived; to be told again where it is still for the reader."""
        if contact_id in self._readers.get(cluster_id, _NONE):
            self._untold.setdefault(contact_id, set()).add(cluster_id)

    def drop(self, clusters: Iterable[int]) -> None:
        """Those calls are over, or no longer what they were."""
        for cluster_id in clusters:
            for contact_id in self._readers.pop(cluster_id, _NONE):
                self.told(contact_id, (cluster_id,))

    def leave(self, contact_id: int) -> None:
        """Nothing is for that reader any more."""
        self._untold.pop(contact_id, None)
        for readers in self._readers.values():
            readers.discard(contact_id)

    def of(self, contact_id: int) -> Collection[int]:
        """What that reader is not known to have been told."""
        return self._untold.get(contact_id, _NONE)

    def waiting(self) -> Iterable[int]:
        """Those to whom something is untold."""
        return self._untold

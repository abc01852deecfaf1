"""The fixtures of a campaign, from its seed: readers, calls by round, who leaves and comes back."""

from __future__ import annotations

import random
from dataclasses import dataclass

#: Sector to the title of its calls.
TITLES = {
    "deneigement": "Déneigement des stationnements municipaux",
    "entretien-menager": "Entretien ménager de l’hôtel de ville",
}
#: More rounds than any campaign has.
ROUNDS = 1000
LAPSE, LEAVE, PAUSE = "lapse", "leave", "pause"


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who receives letters."""

    name: str
    sectors: frozenset[str]

    @property
    def address(self) -> str:
        """A fictional mailbox."""
        return f"{self.name}@exemple.quebec"


@dataclass(frozen=True, slots=True)
class Call:
    """One call for tenders, published before its round's edition, open to the end."""

    number: str
    sector: str


@dataclass(frozen=True, slots=True)
class Change:
    """A reader who may no longer be mailed, decided in the middle of a round."""

    reader: str
    #: LAPSE, LEAVE or PAUSE.
    what: str
    #: Whether the next round begins with the return.
    returns: bool


@dataclass(frozen=True, slots=True)
class World:
    """All that happens, known beforehand."""

    readers: tuple[Reader, ...]
    #: By round.
    calls: tuple[tuple[Call, ...], ...]
    changes: tuple[tuple[Change, ...], ...]


def make(seed: int, readers: int) -> World:
    """The same world for the same arguments; one reader in three at most leaves for good."""
    dice = random.Random(seed)
    sectors = tuple(TITLES)
    people = tuple(
        Reader(f"lectrice{i}", frozenset(dice.sample(sectors, dice.choice((1, 2)))))
        for i in range(readers)
    )
    staying = [person.name for person in people]
    # Nobody leaves in the first round.
    changes: list[tuple[Change, ...]] = [()]
    for _ in range(ROUNDS - 1):
        some = dice.sample(staying, max(1, len(staying) // 8))
        gone = dice.random() < 0.1 and len(staying) > readers * 2 // 3
        made = [
            Change(name, dice.choice((LAPSE, LEAVE, PAUSE)), not (gone and name == some[0]))
            for name in some
        ]
        staying = [name for name in staying if not (gone and name == some[0])]
        changes.append(tuple(made))
    calls = tuple(
        tuple(Call(f"9{r:04}{i:03}", sector) for i, sector in enumerate(sectors))
        for r in range(ROUNDS)
    )
    return World(people, calls, tuple(changes))

"""Typing errors as titles really have them: « accopmpagement », « aquisition », « installatin ».

A long word that the catalogue does not know is taken for the one of the catalogue's that is one
letter away (added, left out, changed, or two exchanged), two for a very long one; both have the
same first letter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations

#: Shorter words are left as they are: too many real words lie one letter apart.
_SHORTEST, _MIDDLE, _LONG = 8, 11, 13
#: Nor is what no one could have meant: bounded time for a hostile text.
_LONGEST = 30
_MOST = 2
#: Real words of notices and code tables that lie so near to one of the catalogue's.
# fmt: off
_REAL = frozenset({
    "electrotechnique", "evacuation", "evacuations", "inferieure", "inferieures", "medication",
    "parlement", "proportionnel", "proportionnelle", "propriete", "proprietes", "reacteur",
    "reaction", "vaporisation",
})
# fmt: on


class Spellings:
    """The catalogue's long words, found again where they are misspelled."""

    def __init__(self, words: Iterable[str]) -> None:
        self._known = frozenset(words)
        found: dict[str, list[str]] = defaultdict(list)
        for word in sorted(self._known):
            if _may(word):
                for rest in _shortened(word):
                    found[rest].append(word)
        self._found: Mapping[str, list[str]] = dict(found)
        self._answers: dict[str, str] = {}

    def right(self, folded: str) -> str:
        """The word that was meant; the word itself where none of the catalogue's is near."""
        if folded in self._known or folded in _REAL or not _may(folded):
            return folded
        answer = self._answers.get(folded)
        if answer is None:
            answer = self._nearest(folded)
            if len(self._answers) < 100_000:
                self._answers[folded] = answer
        return answer

    def _nearest(self, folded: str) -> str:
        near = {word for rest in _shortened(folded) for word in self._found.get(rest, ())}
        for word in sorted(near):
            alike = word[0] == folded[0] and not _inflected(folded, word)
            if alike and _slip(folded, word):
                return word
        return folded


def _slip(written: str, meant: str) -> bool:
    """True where few enough letters differ; one changed for another says less than the rest."""
    shorter, changed = min(len(written), len(meant)), distance(written, meant)
    if changed == 1:
        return len(written) != len(meant) or shorter >= _MIDDLE or sorted(written) == sorted(meant)
    return changed == _MOST and shorter >= _LONG


def _may(word: str) -> bool:
    return _SHORTEST <= len(word) <= _LONGEST and word.isalpha()


def _inflected(written: str, word: str) -> bool:
    """True where only the ends differ as those of a feminine or plural do: a form of the word."""
    shared = min(len(written), len(word)) - 2
    return written[-1] in "esx" and written[:shared] == word[:shared]


def _shortened(word: str) -> Iterator[str]:
    """The word without one letter, and without two for a very long one, and itself."""
    yield word
    for n in range(len(word)):
        yield word[:n] + word[n + 1 :]
    if len(word) >= _LONG:
        for first, second in combinations(range(len(word)), 2):
            yield word[:first] + word[first + 1 : second] + word[second + 1 :]


def distance(one: str, other: str) -> int:
    """Letters added, left out or changed, and neighbours exchanged (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        earlier, before = before, row
        row = [i]
        for j, wanted in enumerate(other, start=1):
            cost = min(before[j] + 1, row[-1] + 1, before[j - 1] + (letter != wanted))
            if earlier and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
    return row[-1]

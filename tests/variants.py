"""Real notices, and the same notices as another source would write them: each change is named."""

from __future__ import annotations

import csv
import random
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import combinations
from pathlib import Path

from base.clock import QUEBEC
from sources.same_call import Seen
from sources.titles import buyer_key

NOTICES = Path(__file__).parent / "sources" / "data" / "notices.csv"
#: For the notices that say no closing moment.
CLOSES_AT = datetime(2026, 9, 28, 15, tzinfo=UTC)


@cache
def notices() -> tuple[Seen, ...]:
    """The real notices as SEAO has them."""
    with NOTICES.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return tuple(map(_official, rows))


def _official(row: dict[str, str]) -> Seen:
    number, closes_at = row["number"], row["closes_at"]
    return Seen(
        source="seao",
        ocid=f"ocds-ec9k95-{number}",
        number=number,
        reference=row["reference"],
        title=row["title"],
        buyer=row["buyer"],
        closes_at=datetime.fromisoformat(closes_at).replace(tzinfo=QUEBEC) if closes_at else None,
    )


def elsewhere(notice: Seen) -> Seen:
    """The notice as a municipality's feed has it: no number, no file number, no ocid of SEAO's."""
    return replace(
        notice, source="feed", ocid=f"https://ville.exemple/?p={notice.number}", number="",
        reference="", text="https://ville.exemple/avis",
    )  # fmt: skip


def _bare(text: str) -> str:
    apart = unicodedata.normalize("NFD", text)
    return "".join(c for c in apart if not unicodedata.combining(c))


def _mistyped(notice: Seen) -> Seen:
    """Two letters of the longest word change places."""
    word = max(re.findall(r"[a-zà-ÿ]{7,}", notice.title) or [""], key=len)
    wrong = word[:3] + word[4:5] + word[3:4] + word[5:]
    return replace(notice, title=notice.title.replace(word, wrong, 1) if word else notice.title)


def _abbreviated(notice: Seen) -> Seen:
    title = notice.title
    for whole, short in (
        (r"\b([Ss])ervices?\b", r"\1erv."), (r"\b([Pp])rofessionnels?\b", r"\1rof."),
        (r"\b([Aa])ménagement\b", r"\1ménag."), (r"\b([Cc])onstruction\b", r"\1onstr."),
        (r"\bSaint-", "St-"), (r"\bSainte-", "Ste-"), (r"\b([Bb])oulevard\b", r"\1oul."),
    ):  # fmt: skip
        title = re.sub(whole, short, title)
    return replace(notice, title=title)


def _later(notice: Seen, by: timedelta) -> Seen:
    return replace(notice, closes_at=notice.closes_at + by if notice.closes_at else None)


Change = Callable[[Seen], Seen]
CHANGES: dict[str, Change] = {
    "capitals": lambda n: replace(n, title=n.title.upper(), buyer=n.buyer.upper()),
    "no accents": lambda n: replace(n, title=_bare(n.title), buyer=_bare(n.buyer)),
    "abbreviations": _abbreviated,
    "typing error": _mistyped,
    "plural": lambda n: replace(n, title=re.sub(r"\b([Tt])ravaux\b", r"\1ravaux", n.title) + "."),
    "heading": lambda n: replace(n, title=f"Appel d’offres public - {n.title}"),
    "file number": lambda n: replace(n, title=f"AO {n.reference} : {n.title}"),
    "buyer in title": lambda n: replace(n, title=f"{n.buyer} – {n.title}"),
    "punctuation": lambda n: replace(n, title=re.sub(r"\s[-–:/]\s", ", ", n.title)),
    "apostrophes": lambda n: replace(n, title=n.title.replace("'", "’").replace("-", "‑")),
    "dot of buyer": lambda n: replace(n, buyer=f"{n.buyer.rstrip('. ')} ."),
    "service of buyer": lambda n: replace(n, buyer=f"{n.buyer} - Service de l’approvisionnement"),
    "an hour later": lambda n: _later(n, timedelta(hours=1)),
    "a day later": lambda n: _later(n, timedelta(days=1)),
    "a week later": lambda n: _later(n, timedelta(days=7)),
    "cut title": lambda n: replace(n, title=n.title[: max(20, len(n.title) * 2 // 3)]),
}


@dataclass(frozen=True, slots=True)
class Pair:
    """One call in two sources, and what differs."""

    changes: tuple[str, ...]
    one: Seen
    other: Seen


def pairs(seed: int = 20260921) -> Iterator[Pair]:
    """Each notice with one change, with two, and with its SEAO number in the text."""
    chosen = random.Random(seed)  # noqa: S311, no secret
    names = sorted(CHANGES)
    for number, notice in enumerate(notices()):
        one = replace(notice, closes_at=notice.closes_at or CLOSES_AT)
        if not one.reference:
            one = replace(one, reference=f"AO-2026-{number:04}")
        for changes in ((names[number % len(names)],), tuple(chosen.sample(names, 2))):
            other = elsewhere(one)
            for name in changes:
                other = _with_reference(other, one.reference, CHANGES[name])
            yield Pair(changes, one, other)
        if len(one.number) < 7 or not one.number.startswith(("1", "20")):
            # Older than the numbers of today.
            continue
        text = f"Documents disponibles sur le SEAO sous le numéro {one.number}."
        unlike = replace(elsewhere(one), title="Avis public", buyer="", closes_at=None, text=text)
        yield Pair(("number in text",), one, unlike)


def strangers(
    change: str = "", *, closes_at: datetime | None = None
) -> Iterator[tuple[Seen, Seen]]:
    """Distinct notices of one buyer, one of each pair as another source would write it.

    With `closes_at` all close at that moment: a case that is harder than the real one.
    """
    by_buyer: dict[tuple[str, ...], list[Seen]] = defaultdict(list)
    for notice in notices():
        by_buyer[buyer_key(notice.buyer)].append(notice)
    for found in by_buyer.values():
        for one, other in combinations(found, 2):
            changed = CHANGES[change](elsewhere(other)) if change else elsewhere(other)
            if closes_at:
                yield replace(one, closes_at=closes_at), replace(changed, closes_at=closes_at)
            else:
                yield one, changed


def _with_reference(notice: Seen, reference: str, change: Change) -> Seen:
    """A change may write the file number into the title, which a feed says nowhere else."""
    return replace(change(replace(notice, reference=reference)), reference="")

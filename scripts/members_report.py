"""An import's difference, in French: a table for each kind of change, refusals, one summary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.table import Table

from base.french import NBSP, count
from scripts import members_words as words
from subscriptions.difference import ContactChange, Difference, Fact, Kind, MemberChange
from subscriptions.sectors import Catalogue

Change = MemberChange | ContactChange

#: Lines that one table shows; the others are counted.
MOST = 40

_TITLES = {
    Kind.ADDED: "Ajoutés",
    Kind.CHANGED: "Modifiés",
    Kind.ENDED: "Adhésions terminées",
    Kind.RETURNING: "De retour",
}
_ALL = "Tout voir : ajouter --tout."


def report(difference: Difference, catalogue: Catalogue, *, most: int) -> Iterator[Table | str]:
    """What is to be changed, at most so many lines of each kind; refusals; remarks."""
    for kind, title in _TITLES.items():
        both: list[Change] = [*difference.members, *difference.contacts]
        changes = [c for c in both if c.kind is kind]
        if changes:
            # sorted() is stable: an enterprise stands above its contacts.
            ordered = sorted(changes, key=lambda c: c.line)
            yield f"{title} ({_counted(changes)})"
            yield _changes(ordered[:most], catalogue)
            yield from _others(len(changes), most)
    if difference.refused:
        yield f"Refusés ({count(len(difference.refused), 'raison', 'raisons')})"
        rows = [(str(r.line), *words.refused(r)) for r in difference.refused[:most]]
        yield table(("Ligne", "Colonne", "Pourquoi, et que faire"), rows)
        yield from _others(len(difference.refused), most)
    if difference.remarks:
        yield f"Avertissements ({len(difference.remarks)})"
        noticed = [(str(r.line), r.about, words.noticed(r)) for r in difference.remarks[:most]]
        yield table(("Ligne", "Sur", "À savoir"), noticed)
        yield from _others(len(difference.remarks), most)


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """A table that folds what is too long for the terminal, and cuts nothing."""
    made = Table()
    for heading in headings:
        narrow = heading in {"Ligne", "No"}
        made.add_column(heading, overflow="fold", no_wrap=narrow, justify="left")
    for row in rows:
        made.add_row(*row)
    return made


def told(kind: Kind, fact: Fact, catalogue: Catalogue) -> str:
    """«fréquence : hebdomadaire → quotidien»."""
    before = words.value(fact.field, fact.before, catalogue)
    after = words.value(fact.field, fact.after, catalogue)
    arrow = after if kind is Kind.ADDED else f"{before} → {after}"
    return f"{words.FIELDS[fact.field]}{NBSP}: {arrow}"


def summary(difference: Difference) -> Iterator[str]:
    """The counts, and what was passed over."""
    if difference.is_empty:
        yield f"Rien à changer{NBSP}: tout est déjà connu."
    lines = len({line.line for line in difference.refused})
    yield (
        f"{count(difference.unchanged, 'ligne', 'lignes')} sans changement; "
        f"{count(lines, 'ligne refusée', 'lignes refusées')}."
    )
    if difference.absent:
        known = count(len(difference.absent), "entreprise connue", "entreprises connues")
        yield f"{known} hors du fichier{NBSP}: rien n’y est touché."
    if difference.unknown_headings:
        yield f"Colonnes non reconnues, ignorées{NBSP}: {', '.join(difference.unknown_headings)}."


def done(difference: Difference) -> str:
    """What was done."""
    return (
        f"Fait{NBSP}: {count(len(difference.members), 'entreprise', 'entreprises')} et "
        f"{count(len(difference.contacts), 'contact', 'contacts')} ajoutés ou modifiés. "
        "Pour revenir en arrière : alertes membres annuler-import"
    )


def in_json(difference: Difference, catalogue: Catalogue) -> dict[str, object]:
    """All of it, for a script; values as the tables have them are in French under `texte`."""
    return {
        "members": [_change(c, c.name, catalogue) for c in difference.members],
        "contacts": [_change(c, c.address, catalogue) for c in difference.contacts],
        "refused": [
            {
                "line": r.line,
                "column": r.column.value if r.column else None,
                "reason": r.reason,
                "detail": r.detail,
                "texte": words.refused(r)[1],
            }
            for r in difference.refused
        ],
        "remarks": [
            {"line": r.line, "about": r.about, "notice": r.notice.value, "detail": r.detail}
            for r in difference.remarks
        ],
        "unchanged": difference.unchanged,
        "absent": list(difference.absent),
        "unknown_headings": list(difference.unknown_headings),
        "ended": difference.ended,
        "ends_many": difference.ends_many,
    }


def _change(change: Change, about: str, catalogue: Catalogue) -> dict[str, object]:
    return {
        "line": change.line,
        "kind": change.kind.value,
        "about": about,
        "facts": [
            {
                "field": fact.field.value,
                "before": fact.before,
                "after": fact.after,
                "texte": told(change.kind, fact, catalogue),
            }
            for fact in change.facts
        ],
    }


def _counted(changes: Sequence[Change]) -> str:
    members = sum(isinstance(c, MemberChange) for c in changes)
    contacts = len(changes) - members
    parts = [
        count(members, "entreprise", "entreprises") if members else "",
        count(contacts, "contact", "contacts") if contacts else "",
    ]
    return ", ".join(filter(None, parts))


def _changes(changes: Sequence[Change], catalogue: Catalogue) -> Table:
    rows = [
        (
            str(change.line),
            change.name if isinstance(change, MemberChange) else change.address,
            "\n".join(told(change.kind, fact, catalogue) for fact in change.facts) or "—",
        )
        for change in changes
    ]
    return table(("Ligne", "Entreprise ou contact", "Ce qui change"), rows)


def _others(number: int, most: int) -> Iterator[str]:
    if number > most:
        yield f"… et {count(number - most, 'autre', 'autres')}. {_ALL}"

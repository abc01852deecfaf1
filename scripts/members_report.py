"""An import's difference, in French, line by line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from base.french import NBSP, count
from scripts import members_words as words
from subscriptions.difference import ContactChange, Difference, Kind, MemberChange
from subscriptions.sectors import Catalogue

_TITLES = {
    Kind.ADDED: "Ajoutés",
    Kind.CHANGED: "Modifiés",
    Kind.ENDED: "Adhésions terminées",
    Kind.RETURNING: "De retour",
}


def report(difference: Difference, catalogue: Catalogue, *, applied: bool) -> Iterator[str]:
    """What was changed, or would be; refusals and remarks; one line that sums up."""
    for kind, title in _TITLES.items():
        members = [m for m in difference.members if m.kind is kind]
        contacts = [c for c in difference.contacts if c.kind is kind]
        if members or contacts:
            yield f"{title} ({_counted(members, contacts)})"
            yield from _changes(members, contacts, catalogue)
            yield ""
    if difference.refused:
        yield f"Refusés ({count(len(difference.refused), 'raison', 'raisons')})"
        yield from (f"  {words.refused(line)}" for line in difference.refused)
        yield ""
    if difference.remarks:
        yield f"Avertissements ({len(difference.remarks)})"
        for remark in difference.remarks:
            yield f"  ligne {remark.line}, {remark.about}{NBSP}: {words.NOTICES[remark.notice]}"
        yield ""
    yield from _summary(difference, applied=applied)


def _counted(members: list[MemberChange], contacts: list[ContactChange]) -> str:
    parts = [
        count(len(members), "entreprise", "entreprises") if members else "",
        count(len(contacts), "contact", "contacts") if contacts else "",
    ]
    return ", ".join(filter(None, parts))


def _changes(
    members: Iterable[MemberChange], contacts: Iterable[ContactChange], catalogue: Catalogue
) -> Iterator[str]:
    both: list[MemberChange | ContactChange] = [*members, *contacts]
    # sorted() is stable: an enterprise stands above its contacts.
    for change in sorted(both, key=lambda c: c.line):
        about = change.name if isinstance(change, MemberChange) else change.address
        yield f"  ligne {change.line}, {about}"
        for fact in change.facts:
            before = words.value(fact.field, fact.before, catalogue)
            after = words.value(fact.field, fact.after, catalogue)
            arrow = after if change.kind is Kind.ADDED else f"{before} → {after}"
            yield f"      {words.FIELDS[fact.field]}{NBSP}: {arrow}"


def _summary(difference: Difference, *, applied: bool) -> Iterator[str]:
    if difference.is_empty:
        yield f"Rien à changer{NBSP}: tout est déjà connu."
    elif applied:
        yield (
            f"Fait{NBSP}: {count(len(difference.members), 'entreprise', 'entreprises')} et "
            f"{count(len(difference.contacts), 'contact', 'contacts')} ajoutés ou modifiés."
        )
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

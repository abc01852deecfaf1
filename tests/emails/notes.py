"""The letters without notices, to look at and to check, as tests.emails.gallery has the digests."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from alerts.digest import Coverage, Gap
from alerts.letter import Composed, ReaderLinks, Sender
from alerts.matching import Lacked
from alerts.note import compose_note
from alerts.proof_of_life import Nearly
from subscriptions.wishes import Wishes
from tests.coop import AT

_ACTION = f"https://alertes.exemple.quebec/u/{'c' * 39}"
_DONE: dict[str, object] = {
    "done_at": AT - timedelta(hours=1),
    "until": AT + timedelta(hours=71),
    "action": _ACTION,
    "subscribed": True,
}
_MEMBER: dict[str, object] = {
    "member_name": "Coop fictive du Déneigement",
    "contact_name": "Ariane Fictive",
}
_SECTORS = ["Déneigement de bâtiments et de stationnements", "Gestion des matières résiduelles"]
_WISHED = Wishes(
    frequency="daily",
    sectors=("deneigement",),
    own_words=("abrasif",),
    excluded_words=("mobilier",),
    territory=("Les Pays-d’en-Haut",),
    most_notices=20,
    categories=("services",),
    minimum_days_left=5,
)
_NEARLY = [
    Nearly(title=title, uri=uri, lacked=lacked, detail=detail, caught_by=caught_by)
    for title, uri, lacked, detail, caught_by in (
        ("Repas du <camp de jour>", "https://x.quebec/1", Lacked.SECTOR, "", "Traiteur"),
        ("Sel de voirie", "", Lacked.SECTOR, _SECTORS[0], ""),
        ("Déneigement à Gaspé", "https://x.quebec/2", Lacked.TERRITORY, "Gaspé", ""),
    )
]
#: Folder of templates/emails, and what it says, by the name in the gallery.
NOTES: dict[str, tuple[str, Mapping[str, object]]] = {
    "depart": ("left", _DONE),
    "choix-changes": (
        "changed",
        {**_DONE, "wished": _WISHED, "labels": _SECTORS[0], "days": "lundi et jeudi"},
    ),
    "reprise": ("resumed", _DONE),
    "nouveau-lien": ("fresh_link", _DONE),
    "adresse-demandee": ("move_asked", _DONE),
    "adresse-proposee": ("move_proposed", _DONE),
    "adresse-changee": ("moved", _DONE),
    "bienvenue-sans-avis": (
        "welcome", {**_MEMBER, "frequency": "instant", "sectors": _SECTORS}
    ),
    "retour-sans-avis": ("return", {**_MEMBER, "frequency": "weekly", "sectors": _SECTORS}),
    "fin-d-adhesion": ("lapse", {**_MEMBER, "last_day": AT + timedelta(days=9)}),
    "tout-va-bien": (
        "alive",
        {
            **_MEMBER,
            "month": date(2026, 9, 1),
            "read": 412,
            "sectors": _SECTORS,
            "nearly": _NEARLY,
            "coverage": (Coverage(source="SEAO", read_at=AT, notices=310),),
            "gaps": (Gap("SEAO", AT - timedelta(days=3)),),
            "credits": ("SEAO, Secrétariat du Conseil du trésor, licence CC-BY 4.0",),
        },
    ),
    "tout-va-bien-sans-rien": (
        "alive",
        {
            **_MEMBER,
            "contact_name": "",
            "month": date(2026, 4, 1),
            "read": 0,
            "sectors": [],
            "nearly": [],
            "coverage": (),
            "gaps": (),
            "credits": (),
        },
    ),
}  # fmt: skip
#: Those to a mailbox that is not, or no longer, the contact's.
_STRANGE = frozenset({"move_proposed", "moved"})


def note(name: str, sender: Sender, links: ReaderLinks) -> Composed:
    """The letter of that name."""
    folder, context = NOTES[name]
    own = None if folder in _STRANGE else links
    return compose_note(
        folder, sender, own, context, recipient="ariane@exemple.quebec", key=name, at=AT
    )

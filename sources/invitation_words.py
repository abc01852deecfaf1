"""The words that a spreadsheet of invitations may use, folded (base.text.fold).

Read, never written: what is shown to staff is in scripts/.
"""

from __future__ import annotations

from enum import StrEnum

from sources.release import Category


class Column(StrEnum):
    """What a line may say."""

    BUYER = "buyer"
    TITLE = "title"
    NUMBER = "number"
    DAY = "day"
    HOUR = "hour"
    DESCRIPTION = "description"
    CATEGORY = "category"
    LINK = "link"
    DOCUMENTS = "documents"
    STATUS = "status"


# fmt: off
HEADINGS: dict[Column, tuple[str, ...]] = {
    Column.BUYER: (
        "organisme", "municipalite", "ville", "acheteur", "donneur d'ouvrage", "organisme public",
    ),
    Column.TITLE: ("titre", "objet", "titre de l'invitation", "titre de l'avis"),
    Column.NUMBER: (
        "numero", "no", "reference", "no de reference", "numero de reference", "dossier",
        "no de dossier", "numero de dossier",
    ),
    Column.DAY: (
        "date limite", "limite", "cloture", "date de cloture", "date de fermeture", "echeance",
    ),
    Column.HOUR: ("heure", "heure limite", "heure de cloture", "heure de fermeture"),
    Column.DESCRIPTION: ("description", "details", "precisions", "remarques"),
    Column.CATEGORY: ("categorie", "nature", "genre"),
    Column.LINK: ("lien", "page", "adresse web", "site", "url"),
    Column.DOCUMENTS: ("documents", "pieces jointes", "fichiers"),
    Column.STATUS: ("statut", "etat"),
}
# fmt: on
#: Without these there is no list of invitations.
REQUIRED = (Column.BUYER, Column.TITLE, Column.DAY)
COLUMNS = {word: name for name, words in HEADINGS.items() for word in words}

CATEGORIES = {
    "biens": Category.GOODS,
    "bien": Category.GOODS,
    "approvisionnement": Category.GOODS,
    "services": Category.SERVICES,
    "service": Category.SERVICES,
    "travaux": Category.WORKS,
    "construction": Category.WORKS,
    "travaux de construction": Category.WORKS,
}
CANCELLED = frozenset({"annule", "annulee", "annulation", "retire", "retiree"})

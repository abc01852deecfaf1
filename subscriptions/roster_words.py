"""The words that a roster may use, folded (base.text.fold): headings, statuses, frequencies.

Read, never written: what is shown to staff is in scripts/.
"""

from __future__ import annotations

import re
from enum import StrEnum

from subscriptions.tables import Basis, Frequency


class Column(StrEnum):
    """What a line may say."""

    ENTERPRISE = "enterprise"
    TELEPHONE = "telephone"
    STATUS = "status"
    STARTS = "starts"
    ENDS = "ends"
    CONTACT = "contact"
    ADDRESS = "address"
    SECTORS = "sectors"
    FREQUENCY = "frequency"
    TERRITORY = "territory"
    BASIS = "basis"
    EVIDENCE = "evidence"
    CONSENTED = "consented"


#: Without these there is no roster. A missing basis column is allowed: nobody is mailed then.
REQUIRED = (Column.ENTERPRISE, Column.STATUS, Column.ADDRESS, Column.SECTORS)

# fmt: off
HEADINGS: dict[Column, tuple[str, ...]] = {
    Column.ENTERPRISE: (
        "entreprise", "nom de l'entreprise", "organisme", "nom de l'organisme", "organisation",
        "nom de l'organisation", "membre", "nom du membre", "raison sociale", "cooperative",
    ),
    Column.TELEPHONE: (
        "telephone", "tel", "no de telephone", "numero de telephone", "no telephone",
    ),
    Column.STATUS: (
        "statut", "statut du membre", "statut de membre", "statut d'adhesion", "etat",
    ),
    Column.STARTS: (
        "debut", "date de debut", "debut d'adhesion", "debut de l'adhesion", "date d'adhesion",
        "membre depuis", "adhesion debut",
    ),
    Column.ENDS: (
        "fin", "date de fin", "fin d'adhesion", "fin de l'adhesion", "date de fin d'adhesion",
        "echeance", "membre jusqu'au", "adhesion fin",
    ),
    Column.CONTACT: (
        "contact", "nom du contact", "personne contact", "personne ressource", "responsable",
        "nom", "nom complet",
    ),
    Column.ADDRESS: (
        "courriel", "adresse courriel", "courriel du contact", "adresse electronique", "email",
        "e mail", "mail",
    ),
    Column.SECTORS: (
        "secteurs", "secteur", "secteurs declares", "secteurs d'activite", "secteur d'activite",
    ),
    Column.FREQUENCY: ("frequence", "frequence d'envoi", "frequence des courriels"),
    Column.TERRITORY: ("territoire", "territoires", "mrc", "municipalites"),
    Column.BASIS: (
        "base de consentement", "base du consentement", "consentement", "type de consentement",
    ),
    Column.EVIDENCE: ("preuve", "preuve de consentement", "preuve du consentement"),
    Column.CONSENTED: (
        "date de consentement", "date du consentement", "consentement le", "consenti le",
    ),
}

#: Which standings let a member be mailed. All others that are known do not: better to ask than
#: to mail somebody who is not entitled.
ACTIVE: frozenset[str] = frozenset({
    "actif", "active", "membre actif", "membre", "en regle", "a jour",
})
INACTIVE: frozenset[str] = frozenset({
    "suspendu", "suspendue", "demissionnaire", "demission", "exclu", "exclue", "exclusion",
    "radie", "radiee", "radiation", "en retard", "cotisation en retard", "retard", "demande",
    "demande en cours", "en attente", "inactif", "inactive", "ancien membre", "ancien", "termine",
    "terminee", "echu", "echue", "retire", "retiree", "non membre",
})

FREQUENCIES: dict[str, Frequency] = {
    "quotidien": Frequency.DAILY, "quotidienne": Frequency.DAILY,
    "quotidiennement": Frequency.DAILY, "chaque jour": Frequency.DAILY,
    "tous les jours": Frequency.DAILY, "jour": Frequency.DAILY, "daily": Frequency.DAILY,
    "hebdomadaire": Frequency.WEEKLY, "hebdo": Frequency.WEEKLY,
    "hebdomadairement": Frequency.WEEKLY, "chaque semaine": Frequency.WEEKLY,
    "toutes les semaines": Frequency.WEEKLY, "semaine": Frequency.WEEKLY,
    "weekly": Frequency.WEEKLY,
    "des la parution": Frequency.INSTANT, "a la parution": Frequency.INSTANT,
    "immediat": Frequency.INSTANT, "immediate": Frequency.INSTANT,
    "instantane": Frequency.INSTANT, "instantanee": Frequency.INSTANT,
}

BASES: dict[str, Basis] = {
    "expres": Basis.EXPRESS, "expresse": Basis.EXPRESS, "consentement expres": Basis.EXPRESS,
    "express": Basis.EXPRESS, "adhesion": Basis.MEMBERSHIP, "membre": Basis.MEMBERSHIP,
    "achat": Basis.PURCHASE, "contrat": Basis.CONTRACT, "autre": Basis.OTHER,
}
#: Written where there is no basis.
NO_BASIS: frozenset[str] = frozenset({"aucun", "aucune", "non", "sans", "a obtenir"})
# fmt: on

#: One sector a cell, chosen from a list: «Secteur 2».
_MORE_SECTORS = re.compile(r"(?:autre )?secteur(?: d'activite)? ?\d\d?")

_COLUMNS = {heading: column for column, many in HEADINGS.items() for heading in many}


def column(heading: str) -> Column | None:
    """The column that a folded heading names."""
    return Column.SECTORS if one_more_sector(heading) else _COLUMNS.get(heading)


def one_more_sector(heading: str) -> bool:
    """Whether a folded heading is one of several columns of sectors."""
    return _MORE_SECTORS.fullmatch(heading) is not None

"""The French of `alertes membres`: columns, reasons, what to do."""

from __future__ import annotations

from datetime import date

from base.french import NBSP, listed
from base.spreadsheet import Unreadable
from subscriptions import addresses, cells
from subscriptions.cells import CellRefused
from subscriptions.difference import Field, Notice, Remark
from subscriptions.errors import RosterUnreadable
from subscriptions.import_tables import Step
from subscriptions.listing import Hindrance
from subscriptions.roster import Reason, RefusedLine
from subscriptions.roster_words import Column
from subscriptions.sectors import Catalogue
from subscriptions.tables import Basis, Frequency
from subscriptions.undo_plan import Since

COLUMNS: dict[str, str] = {
    Column.ENTERPRISE: "Entreprise",
    Column.TELEPHONE: "Téléphone",
    Column.STATUS: "Statut",
    Column.STARTS: "Début",
    Column.ENDS: "Fin",
    Column.CONTACT: "Contact",
    Column.ADDRESS: "Courriel",
    Column.SECTORS: "Secteurs",
    Column.FREQUENCY: "Fréquence",
    Column.TERRITORY: "Territoire",
    Column.BASIS: "Base de consentement",
    Column.EVIDENCE: "Preuve",
    Column.CONSENTED: "Date de consentement",
}

FREQUENCIES: dict[str, str] = {
    Frequency.DAILY: "quotidien",
    Frequency.WEEKLY: "hebdomadaire",
    Frequency.INSTANT: "dès la parution",
}

BASES: dict[str, str] = {
    Basis.EXPRESS: "exprès",
    Basis.MEMBERSHIP: "adhésion",
    Basis.PURCHASE: "achat",
    Basis.CONTRACT: "contrat",
    Basis.OTHER: "autre",
}

FIELDS: dict[Field, str] = {
    Field.NAME: "nom",
    Field.TELEPHONE: "téléphone",
    Field.STARTS: "début de l’adhésion",
    Field.ENDS: "dernier jour de l’adhésion",
    Field.CONTACT: "contact",
    Field.ADDRESS: "courriel",
    Field.SECTORS: "secteurs",
    Field.FREQUENCY: "fréquence",
    Field.TERRITORY: "territoire",
    Field.CONSENT: "base de consentement",
}

HINDRANCES: dict[Hindrance, str] = {
    Hindrance.NOT_ACTIVE: "adhésion non active",
    Hindrance.LEFT: "désabonnement",
    Hindrance.NOT_SUBSCRIBED: "aucun abonnement",
    Hindrance.PAUSED: "en pause",
    Hindrance.NO_CONSENT: "sans base de consentement",
    Hindrance.SUPPRESSED: "adresse bloquée",
}

NOTICES: dict[Notice, str] = {
    Notice.NO_CONSENT: (
        "sans base de consentement, rien ne lui sera envoyé. "
        "Remplir la colonne Base de consentement (exprès, adhésion, achat, contrat, autre)."
    ),
    Notice.HAS_LEFT: "s’est désabonné; l’import ne le réabonne pas.",
    Notice.WISHES_KEPT: (
        "a choisi ses secteurs, sa fréquence ou son territoire; son choix est conservé. "
        "Pour le changer à sa demande, voir : alertes abonnements modifier"
    ),
    Notice.ACTIVE_BUT_ENDED: (
        "le statut est actif, mais le dernier jour de l’adhésion est passé : "
        "rien ne lui sera envoyé."
    ),
    Notice.ENDED_EARLY: (
        "le statut n’est pas actif; l’adhésion prend fin dès maintenant, "
        "sans attendre la date de fin."
    ),
    Notice.LOOKS_LIKE: (
        "ressemble à {detail}. Vérifier que ce n’est pas une faute de frappe avant d’appliquer."
    ),
}

SINCE: dict[Since, str] = {
    Since.CHANGED: "changé depuis l’import : laissé tel quel.",
    Since.LEFT: "s’est désabonné depuis l’import : laissé tel quel.",
}

STEPS: dict[Step, str] = {
    Step.MEMBER: "entreprise",
    Step.NAME: "nom",
    Step.TELEPHONE: "téléphone",
    Step.MEMBERSHIP: "adhésion",
    Step.CONTACT: "contact",
    Step.CONTACT_NAME: "nom du contact",
    Step.SUBSCRIPTION: "abonnement",
    Step.CONSENT: "base de consentement",
}

_UNREADABLE: dict[str, str] = {
    Unreadable.EMPTY: "Le fichier est vide.",
    Unreadable.TOO_LARGE: (
        "Le fichier est trop gros : 5 Mo au plus. Garder la seule liste des membres."
    ),
    Unreadable.TOO_MANY_LINES: (
        "Le fichier a plus de 65 536 lignes. Garder la seule liste des membres."
    ),
    Unreadable.PDF: "C’est un PDF. Enregistrer la liste en CSV ou en classeur Excel (.xlsx).",
    Unreadable.OLD_OFFICE: (
        "C’est un ancien classeur Excel (.xls) ou un classeur protégé par un mot de passe. "
        "L’enregistrer en .xlsx, sans mot de passe."
    ),
    Unreadable.IMAGE: "C’est une image. Enregistrer la liste en CSV ou en classeur Excel (.xlsx).",
    Unreadable.NOT_XLSX: (
        "Ce fichier compressé n’est pas un classeur Excel. "
        "Enregistrer la liste en CSV ou en classeur Excel (.xlsx)."
    ),
    Unreadable.DAMAGED_XLSX: (
        "Le classeur est endommagé ({detail}). L’ouvrir dans Excel et l’enregistrer à nouveau."
    ),
    Unreadable.NOT_TEXT: (
        "Le fichier n’est ni un CSV ni un classeur Excel. "
        "Enregistrer la liste en CSV ou en classeur Excel (.xlsx)."
    ),
    Unreadable.QUOTES: (
        'Ligne {detail} : un guillemet (") ouvert n’est pas fermé, ou est mal placé. '
        "Le corriger et recommencer."
    ),
    Unreadable.NO_HEADER: (
        "Aucune ligne de titres. La première ligne doit nommer les colonnes : {required}."
    ),
    Unreadable.MISSING_COLUMNS: "Il manque une colonne : {columns}.",
    Unreadable.COLUMN_TWICE: (
        "Une même colonne est présente deux fois : {detail}. En retirer ou en renommer une."
    ),
    Unreadable.NO_LINES: "Le fichier a des titres, mais aucun membre.",
}

_REFUSED: dict[str, str] = {
    Reason.HEADER_AGAIN: "les titres sont répétés; retirer cette ligne.",
    Reason.TWO_STANDINGS: (
        "autre statut ou autres dates qu’à la ligne {detail} pour cette entreprise."
    ),
    Reason.ADDRESS_TWICE: "adresse déjà présente à la ligne {detail}.",
    Reason.TWO_ENTERPRISES: (
        "cette adresse irait à deux entreprises : « {first} » l’a déjà, « {rest} » la demande. "
        "Une adresse ne peut être qu’à une seule."
    ),
    Reason.MERGED: (
        "ce contact a été fusionné avec « {detail} ». Retirer cette ligne, ou le reprendre avec : "
        "alertes contacts ajouter"
    ),
    cells.Fault.EMPTY: "vide. Si des cellules sont fusionnées, répéter la valeur sur chaque ligne.",
    cells.Fault.FORMULA: "formule ou erreur de calcul ({detail}). La remplacer par sa valeur.",
    cells.Fault.DAMAGED: "caractère perdu ou illisible dans « {detail} ». Le retaper.",
    cells.Fault.TOO_LONG: "texte trop long ({detail} caractères au plus).",
    cells.Fault.NO_WORD: "« {detail} » ne contient ni lettre ni chiffre.",
    cells.Fault.UNKNOWN_STATUS: (
        "statut inconnu : « {detail} ». Écrire par exemple actif, suspendu, en retard, "
        "démissionnaire, exclu ou radié."
    ),
    cells.Fault.UNKNOWN_SECTOR: "secteur inconnu : « {first} ».{close}",
    cells.Fault.UNKNOWN_FREQUENCY: (
        "fréquence inconnue : « {detail} ». Écrire quotidien ou hebdomadaire."
    ),
    cells.Fault.UNKNOWN_BASIS: (
        "base inconnue : « {detail} ». Écrire exprès, adhésion, achat, contrat ou autre, "
        "ou laisser vide."
    ),
    cells.Fault.NO_DATE: (
        "« {detail} » n’est pas une date sûre. Écrire AAAA-MM-JJ, comme 2026-09-21."
    ),
    cells.Fault.DATES_REVERSED: "la fin est avant le début ({detail}).",
    addresses.Fault.MALFORMED: "« {detail} » n’est pas une adresse courriel.",
    addresses.Fault.NOT_ASCII: (
        "lettres accentuées avant le @ ({detail}) : peu de serveurs les acceptent. "
        "Demander une autre adresse."
    ),
    addresses.Fault.LOOK_ALIKE: (
        "caractère étranger qui ressemble à une lettre ou à un signe : {detail}. "
        "Retaper l’adresse au clavier."
    ),
    addresses.Fault.NO_READER: "personne ne lit à {detail}. Donner l’adresse d’une personne.",
}


def unreadable(error: RosterUnreadable) -> str:
    """Why a file was refused, and what to do."""
    required = listed([COLUMNS[c].lower() for c in ("enterprise", "status", "address", "sectors")])
    missing = listed([COLUMNS.get(c, c) for c in error.detail.split(", ")])
    sentence = _UNREADABLE[error.reason]
    return sentence.format(detail=error.detail, required=required, columns=missing)


def refused(line: RefusedLine) -> tuple[str, str]:
    """The column, "" for the line as a whole; why it is refused, and what to do."""
    column = COLUMNS[line.column] if line.column is not None else ""
    return column, _why(line.reason, line.detail)


def fault(found: CellRefused) -> str:
    """Why a value cannot be used, and what to do."""
    sentence = _why(found.reason, found.detail)
    return sentence[:1].upper() + sentence[1:]


def _why(reason: str, detail: str) -> str:
    first, *others = detail.split(" | ")
    close = f" Peut-être{NBSP}: {listed_or(others)}." if others else ""
    return _REFUSED[reason].format(detail=detail, first=first, rest=" | ".join(others), close=close)


def noticed(remark: Remark) -> str:
    """What staff should know of a line."""
    return NOTICES[remark.notice].format(detail=remark.detail)


def listed_or(words: list[str]) -> str:
    """«« a », « b » ou « c »»."""
    quoted = [f"«{NBSP}{word}{NBSP}»" for word in words]
    return " ou ".join(filter(None, [", ".join(quoted[:-1]), quoted[-1]]))


def value(field: Field, found: object, catalogue: Catalogue) -> str:
    """A value as staff read it."""
    match found:
        case None | "" | ():
            return "(partout)" if field is Field.TERRITORY else "(rien)"
        case date():
            return found.isoformat()
        case tuple() if field is Field.SECTORS:
            return "; ".join(catalogue.label(str(slug)) for slug in found)
        case tuple():
            return "; ".join(str(name) for name in found)
        case _:
            return FREQUENCIES.get(str(found)) or BASES.get(str(found)) or str(found)

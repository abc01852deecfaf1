"""The French of `alertes sources`: why a document or a release was refused, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from base.french import NBSP, hour, short_day, thousands
from sources.catalogue import Rhythm
from sources.freshness import SourceState, Standing
from sources.reasons import Reason, parted

#: What is wrong.
REASONS: dict[Reason, str] = {
    Reason.EMPTY: "le fichier est vide",
    Reason.HTML: "c’est une page Web, pas un fichier JSON",
    Reason.NOT_JSON: "ce n’est pas du JSON, ou le fichier est coupé",
    Reason.NOT_A_PACKAGE: "ce n’est pas un paquet de publications OCDS",
    Reason.NOT_A_LISTING: "la réponse du portail n’est pas la liste des fichiers",
    Reason.TOO_DEEP: "les données sont imbriquées trop profondément",
    Reason.TOO_LARGE: "trop volumineux",
    Reason.NOT_A_FEED: "ce n’est pas un fil RSS ou Atom",
    Reason.NOT_A_TABLE: "ce n’est pas le tableau attendu",
    Reason.NOT_AN_ANSWER: "ce n’est pas une réponse de la recherche du SEAO",
    Reason.CUT_SHORT: "le fichier est coupé",
    Reason.ENTITIES: "le XML déclare des entités, ce qui n’est pas accepté",
    Reason.NOTHING_LISTED: "le portail n’annonce aucun fichier hebdomadaire",
    Reason.UNREADABLE: "le fichier ne peut pas être lu",
    Reason.WRONG_SIZE: "la réponse n’a pas la taille annoncée",
    Reason.WRONG_ENCODING: "la réponse est comprimée d’une façon qui n’était pas demandée",
    Reason.WRONG_STATUS: "réponse inattendue du serveur",
    Reason.REFUSED_ADDRESS: "adresse non permise",
    Reason.TOO_MANY_REDIRECTS: "trop de redirections",
    Reason.NO_ANSWER: "le serveur ne répond pas",
    Reason.TOO_SLOW: "le serveur répond trop lentement",
    Reason.BUSY: "le serveur ne peut pas répondre en ce moment",
    Reason.NOT_ALL: "la source n’a pas donné tout ce qu’elle annonce",
    Reason.NO_REFERENCE: "le numéro de référence manque",
    Reason.NOTHING_SAID: "ni titre ni adresse",
    Reason.WRONG_CELLS: "la ligne n’a pas le bon nombre de cases",
    Reason.NOT_A_SPREADSHEET: "ce n’est pas un tableau d’invitations",
    Reason.CHANGED_SHAPE: "le document n’a plus la forme que sa source avait",
    Reason.NO_TITLE: "le titre manque",
    Reason.NO_BUYER: "l’organisme manque",
    Reason.NO_DEADLINE: "la date et l’heure limites manquent ou ne sont pas comprises",
    Reason.CLOSED: "la date limite est déjà passée",
    Reason.NOT_A_RELEASE: "ce n’est pas une publication",
    Reason.NOT_UTF8: "le texte n’est pas en UTF-8",
    Reason.NO_OCID: "le numéro OCDS (ocid) manque",
    Reason.TWO_OCIDS: "le numéro OCDS (ocid) est donné deux fois",
    Reason.OCID_TOO_LONG: "le numéro OCDS (ocid) est trop long",
    Reason.NO_RELEASE_ID: "l’identifiant (id) n’est pas un moment de 14 chiffres",
    Reason.NO_TAG: "l’étiquette (tag) manque",
    Reason.NO_TENDER: "l’appel d’offres (tender) manque",
    Reason.WRONG_TYPE: "une valeur n’est pas du type attendu",
}

_LATER = "Réessayer plus tard; le service essaie de lui-même toutes les heures."
_AGAIN = "Télécharger le fichier de nouveau à sa source, puis relancer la commande."
_TELL = (
    "Le format de la source a peut-être changé. Avertir la personne qui entretient le programme."
)

#: What to do about a document that was refused; `_TELL` for what is not here.
_TO_DO: dict[Reason, str] = {
    Reason.NOT_A_SPREADSHEET: (
        "Mettre les titres de colonnes Organisme, Titre, Date limite et Heure, puis recommencer."
    ),
    Reason.CHANGED_SHAPE: (
        "Regarder le document à sa source; s’il est juste, alertes sources accepter, "
        "suivi du nom de la source. Sinon, avertir la personne qui entretient le programme."
    ),
    Reason.EMPTY: _AGAIN,
    Reason.HTML: _AGAIN,
    Reason.NOT_JSON: _AGAIN,
    Reason.CUT_SHORT: _AGAIN,
    Reason.WRONG_SIZE: _LATER,
    Reason.NO_ANSWER: _LATER,
    Reason.TOO_SLOW: _LATER,
    Reason.BUSY: _LATER,
    Reason.UNREADABLE: "Vérifier que c’est un fichier et que vous avez le droit de le lire.",
    Reason.REFUSED_ADDRESS: "Vérifier SEAO_PACKAGE_URL dans le fichier .env.",
}


RHYTHMS: dict[str, str] = {
    Rhythm.DAILY: "chaque jour",
    Rhythm.WEEKLY: "chaque semaine",
    Rhythm.MONTHLY: "chaque mois",
    Rhythm.IRREGULAR: "sans rythme",
}
STANDINGS: dict[Standing, str] = {
    Standing.FRESH: "à jour",
    Standing.NEVER: "jamais lue",
    Standing.FAILING: "ne répond pas",
    Standing.LATE: "en retard",
    Standing.SILENT: "muette",
    Standing.SHRUNKEN: "incomplète",
    Standing.CHANGED: "retenue",
}


def row(state: SourceState) -> tuple[str, ...]:
    """A source's line in the table."""
    counts = state.counts
    return (
        state.key,
        STANDINGS[state.standing],
        _when(state.answered_at),
        _when(state.news_at),
        thousands(counts.get("releases", 0)),
        thousands(counts.get("faults", 0)),
    )


def remarks(state: SourceState) -> Iterator[str]:
    """Whom to name, since when something is missing, and why."""
    yield f"{state.key}{NBSP}: {state.name} ({state.credit})"
    if state.missing_since:
        since = f"{short_day(state.missing_since)}, {hour(state.missing_since)}"
        yield f"  {STANDINGS[state.standing].capitalize()} depuis le {since}"
    if state.fault:
        yield f"  {why(state.fault).capitalize()}"


def in_json(state: SourceState) -> dict[str, object]:
    """A source as an object."""
    return {
        "key": state.key,
        "name": state.name,
        "credit": state.credit,
        "rhythm": state.rhythm,
        "standing": state.standing,
        "missing_since": state.missing_since,
        "answered_at": state.answered_at,
        "news_at": state.news_at,
        "counts": dict(state.counts),
        "fault": state.fault,
    }


def _when(at: datetime | None) -> str:
    return f"{short_day(at)}, {hour(at)}" if at else "jamais"


def why(reason: str) -> str:
    """A reason in French, with what was found as the source wrote it."""
    known, found = parted(reason)
    if known is None:
        return reason
    return f"{REASONS[known]} ({found})" if found else REASONS[known]


def refused(name: str, reason: str) -> str:
    """What is wrong with a whole document, where, and what to do."""
    known, _ = parted(reason)
    to_do = _TO_DO.get(known, _TELL) if known else _TELL
    return f"{name}{NBSP}: {why(reason)}. Rien n’a été changé. {to_do}"

"""The French of what is kept of a person: values as people read them, and what an erasure does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from alerts.answer_tables import Answer
from alerts.erasure import Obstacle, Planned
from alerts.tables import Kind, LetterState, ToldState
from base.french import NBSP, count, day, hour
from base.inventory import kept_in
from scripts.category_words import CATEGORIES
from scripts.members_words import BASES
from scripts.not_mailed_words import NOT_MAILED
from scripts.subscriptions_words import ENDS, NAMES, ORIGINS
from subscriptions import sectors
from subscriptions.tables import Frequency, Via, What

STATES: dict[str, str] = {
    LetterState.WRITTEN: "écrite, attend son tour",
    LetterState.CLAIMED: "en train de partir",
    LetterState.IN_DOUBT: "en train de partir",
    LetterState.ACCEPTED: "acceptée par le serveur de courriel",
    LetterState.DEFERRED: "remise à plus tard",
    LetterState.REFUSED: "refusée par le serveur de courriel",
    LetterState.UNKNOWN: "incertaine",
    LetterState.WITHDRAWN: "retirée, n’est pas partie",
    LetterState.QUARANTINED: "impossible à composer",
}
EVENTS: dict[str, str] = {
    What.LEFT: "désabonnement",
    What.CHANGED: "choix changés",
    What.RESUMED: "désabonnement annulé",
    What.LINK_ASKED: "nouveau lien demandé",
    What.MOVE_ASKED: "changement d’adresse demandé",
    What.MOVE_PROPOSED: "nouvelle adresse proposée",
    What.MOVED: "adresse changée",
}
VIAS: dict[str, str] = {
    Via.PAGE: "par la page",
    Via.MAIL: "par courriel",
    Via.STAFF: "par l’équipe",
}
_ANSWERS: dict[str, str] = {
    Answer.INTERESTED: "intéressé",
    Answer.NOT_RELEVANT: "pas pertinent",
    Answer.HIDDEN: "masqué",
}
_TOLD: dict[str, str] = {
    ToldState.RESERVED: "dans une lettre qui attend",
    ToldState.CONFIRMED: "annoncé",
    ToldState.RELEASED: "pas parti",
    ToldState.UNCERTAIN: "incertain",
}
_KINDS: dict[str, str] = {
    Kind.NEW: "nouvel avis",
    Kind.CHANGE: "modification",
    Kind.CANCELLATION: "annulation",
    Kind.REMINDER: "rappel",
}
#: Column -> what its values are called; in «told», `state` is another word.
_VALUES: dict[str, dict[str, str]] = {
    "frequency": NAMES | {Frequency.INSTANT.value: "immédiat"},
    "origin": ORIGINS,
    "end_origin": ORIGINS,
    "end_reason": ENDS,
    "basis": BASES,
    "state": STATES | _TOLD,
    "why": NOT_MAILED,
    "what": EVENTS,
    "via": VIAS,
    "answer": _ANSWERS,
    "kind": _KINDS,
}
_OBSTACLES: dict[str, str] = {
    Obstacle.LEAVING: (
        "La lettre {letter} est en train de partir. Recommencer dans une minute; "
        "rien n’a été changé."
    ),
    Obstacle.UNCERTAIN: (
        "Personne ne sait si la lettre {letter} est arrivée, et quelqu’un doit d’abord en décider. "
        "Rien n’a été changé. Voir{nbsp}: alertes envois incertains"
    ),
}
#: Why what an erasure leaves is left.
KEPT_WHY: dict[str, str] = {
    "contact": "le numéro seul, pour que la preuve et les liens de désabonnement restent valables",
    "member": "l’entreprise n’est pas effacée avec la personne",
    "membership": "la preuve que l’entreprise était membre",
    "subscription": "la preuve de ce qui avait été demandé, sans les mots-clés",
    "consent": "la preuve du consentement (LCAP, art. 13), sans nom ni adresse",
    "suppression": "l’empreinte seule, pour ne plus jamais écrire à cette adresse",
    "event": "la preuve des désabonnements, sans adresse",
    "letter": "la preuve que seuls des membres ont été avisés, sans adresse",
    "attempt": "les réponses du serveur, sans l’adresse",
    "told": "la preuve de qui a été avisé de quel avis, par numéro",
    "told_before": "la preuve de qui a été avisé de quel avis, par numéro",
    "omission": "pourquoi des lettres ne sont pas parties",
    "bounce": "le code du retour, sans les mots",
    "audit": "qui a fait quoi, sans les choix d’avant et d’après",
    "import_step": "qu’une importation a changé quelque chose, sans le nom",
    "concern": "ce que l’équipe devait regarder, sans adresse",
}


def moment(at: datetime) -> str:
    """«lundi 21 septembre 2026 à 6 h»."""
    return f"{day(at)} à {hour(at)}"


def told(column: str, value: Any, names: Mapping[int, str]) -> str:  # noqa: ANN401, any value
    """A value as a person reads it; `names` are the notices by their number in that column."""
    if column in {"revision_id", "cluster_id"}:
        return names.get(value, f"numéro {value}")
    if column == "sectors":
        catalogue = sectors.load()
        return ", ".join(catalogue.label(slug) for slug in value) or "aucun"
    return _VALUES.get(column, {}).get(str(value)) or _plainly(value)


def _plainly(value: Any) -> str:  # noqa: ANN401, any column's value
    said = "oui" if value is True else "non" if value is False else "rien"
    if isinstance(value, datetime):
        said = moment(value)
    elif isinstance(value, date):
        said = day(value)
    elif isinstance(value, bytes):
        said = f"{len(value)} octets, dans le dossier lettres"
    elif not isinstance(value, bool) and value is not None:
        said = _json(value) or "rien"
    return said


def refusal(obstacle: str, letter_id: int) -> str:
    """Why a person cannot be erased yet, and what to do."""
    return _OBSTACLES[obstacle].format(letter=letter_id, nbsp=NBSP)


def becomes(planned: Planned) -> str:
    """What becomes of the rows of one table."""
    rows = count(planned.rows, "ligne", "lignes")
    if planned.emptied is None:
        return f"{rows}{NBSP}: effacées" if planned.rows > 1 else f"{rows}{NBSP}: effacée"
    why = KEPT_WHY.get(planned.table, "gardé")
    if not planned.emptied:
        return f"{rows}{NBSP}: gardé ({why})"
    labels = kept_in(planned.table).personal
    emptied = ", ".join(labels.get(name, CATEGORIES.get(name, name)) for name in planned.emptied)
    return f"{rows}{NBSP}: effacé ({emptied}); gardé{NBSP}: {why}"


def _json(value: Any) -> str:  # noqa: ANN401, any JSON value
    """A list or an object, in one line."""
    match value:
        case list():
            return ", ".join(_json(one) for one in value)
        case dict():
            return "; ".join(f"{key}{NBSP}: {_json(one)}" for key, one in value.items())
        case None:
            return "rien"
        case _:
            return str(value)

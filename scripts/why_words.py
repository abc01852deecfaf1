"""The French of why a contact was, or was not, told of a notice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from alerts import waiting
from alerts.classification import THRESHOLD
from alerts.explanation import Because, Explanation
from alerts.matching import Lacked, NearMiss
from alerts.rhythm import MOST_A_DAY, MOST_PROMOTED
from base.french import NBSP, count, day, hour, listed
from scripts.category_words import CATEGORIES
from scripts.not_mailed_words import NOT_MAILED
from subscriptions.sectors import Catalogue

_SENTENCES = {
    Because.ACCEPTED: "Oui, il a été avisé{letter}, que le serveur de courriel a acceptée {at}.",
    Because.WAITING: "Pas encore. L’avis est{letter}, écrite {written}, qui attend son tour.",
    Because.HELD: "Pas encore. L’avis est{letter}, mais tous les envois sont retenus.",
    Because.IN_COURSE: "C’est en cours. L’avis est{letter}, que le serveur de courriel reçoit.",
    Because.UNCERTAIN: "On ne sait pas. L’avis est{letter}, dont l’arrivée est incertaine.",
    Because.REFUSED: "Non. L’avis était{letter}, que le serveur de courriel a refusée {at}.",
    Because.WITHDRAWN: "Non. L’avis était{letter}, retirée {at}{nbsp}: {why}.",
    Because.QUARANTINED: "Non. L’avis devait être{letter}, impossible à composer.",
    Because.OMITTED: "Non. {When}{edition}, aucune lettre n’a été écrite{nbsp}: {why}.",
    Because.LACKED: "Non. {When}{edition}, l’avis ne répondait pas à ce qu’il demande.",
    Because.UNSEEN: "Non. Aucune source n’a encore montré cet avis au service.",
    Because.BACKLOG: (
        "Non. L’avis était déjà vieux quand une source l’a montré, {at}. "
        "Pour le mettre dans les lettres{nbsp}: alertes avis anciens"
    ),
    Because.NOT_YET: "Pas encore. L’avis attend la prochaine lettre.",
    Because.CLOSED: "Non. L’avis a fermé {at}, avant qu’une lettre puisse l’annoncer.",
    Because.CANCELLED: "Non. L’avis a été annulé ou a pris fin, ce qu’on a su {at}.",
    Because.JOINED_AFTER: "Non. Ce contact a été ajouté {at}, après la fermeture de l’avis.",
    Because.RULES_CHANGED: (
        "Non. {When}{edition}, le classement ne le retenait pas; il le retiendrait aujourd’hui."
    ),
}
#: What says in which letter the notice is, or was.
_IN_A_LETTER = (
    Because.ACCEPTED,
    Because.WAITING,
    Because.HELD,
    Because.IN_COURSE,
    Because.UNCERTAIN,
)
_WAITS = {
    waiting.Because.RHYTHM: "Comme les choses sont, elle est due {until}.",
    waiting.Because.GROUPED: "Les avis de quelques minutes vont ensemble; elle est due {until}.",
    waiting.Because.MORNING: (
        "Ni la nuit, ni après {most} lettres le même jour{nbsp}: elle est due {until}."
    ),
    waiting.Because.PROMOTED: (
        "Il fermerait trop tôt après la lettre du lundi{nbsp}: elle est due sans attendre, {until}."
    ),
    waiting.Because.PROMOTED_ENOUGH: (
        "Déjà {promoted} lettres sans attendre lundi cette semaine{nbsp}: elle est due {until}."
    ),
}


def lines(found: Explanation, catalogue: Catalogue, at: datetime) -> Iterator[str]:
    """The answer, then what it is known from, a sentence a line."""
    yield _SENTENCES[found.because].format(
        letter=_letter(found),
        at=f"le {moment(found.at)}" if found.at else "",
        When=f"Le {moment(found.at)}" if found.at and found.at < at else "Aujourd’hui",
        written=f"le {moment(found.letter.written_at)}" if found.letter else "",
        edition=f" (édition {edition_name(found.edition)})" if found.edition else "",
        why=NOT_MAILED.get(found.why, found.why) if found.why else "",
        nbsp=NBSP,
    )
    if found.letter and found.letter.reply and found.because is not Because.ACCEPTED:
        yield f"Réponse du serveur de courriel{NBSP}: {found.letter.reply}"
    if found.because is Because.REFUSED and found.why:
        yield f"Depuis, rien ne lui est écrit{NBSP}: {NOT_MAILED.get(found.why, found.why)}."
    for reason in found.reasons:
        label = reason.label or "Ses mots-clés"
        yield f"{label}{NBSP}: {reason.evidence}"
    if found.lacked is not None:
        anyway = "De toute façon, " if found.because is Because.OMITTED else ""
        yield _begun(anyway, lacked(found.lacked, catalogue))
    if found.lacked is not None and found.lacked.lacked is Lacked.SECTOR:
        yield from _compared(found, catalogue)
    if found.seen_at is not None:
        yield _seen(found)
    if found.promoted and found.because in _IN_A_LETTER:
        yield "Il fermait trop tôt après la lettre du lundi; il n’a pas attendu celle-ci."
    if found.waits is not None:
        yield _WAITS[found.waits.because].format(
            until=f"le {moment(found.waits.until)}",
            most=MOST_A_DAY,
            promoted=MOST_PROMOTED,
            nbsp=NBSP,
        )
    elif found.again:
        yield "Comme les choses sont, la prochaine lettre l’annoncera."


def moment(at: datetime) -> str:
    """«lundi 21 septembre 2026 à 6 h»."""
    return f"{day(at)} à {hour(at)}"


def edition_name(label: str) -> str:
    """«2026-W39»; of a letter at once, its day and minute in Québec."""
    if not label.endswith("Z"):
        return label
    return f"du {moment(datetime.fromisoformat(label))}"


def lacked(miss: NearMiss, catalogue: Catalogue) -> str:
    """What lacked, as a sentence."""
    match miss.lacked:
        case Lacked.SECTOR if miss.detail:
            score, least = (f"{n:.2f}".replace(".", ",") for n in (miss.score, THRESHOLD))
            nearest = quoted(catalogue.label(miss.detail))
            return (
                f"Aucun de ses secteurs ne convient; le plus proche est {nearest} "
                f"({score}, il faut {least})."
            )
        case Lacked.SECTOR:
            return "Aucun de ses secteurs ni de ses mots-clés n’y est."
        case Lacked.EXCLUDED_WORD:
            return f"On y trouve un mot qu’il a exclu{NBSP}: {quoted(miss.detail)}."
        case Lacked.CATEGORY:
            what = CATEGORIES.get(miss.detail, miss.detail)
            return f"Ce genre de contrat n’est pas demandé{NBSP}: {what}."
        case Lacked.TERRITORY:
            return f"Le lieu est hors de son territoire{NBSP}: {miss.detail}."
        case Lacked.DAYS_LEFT:
            days = count(int(miss.detail), "jour", "jours")
            return f"Il restait trop peu de temps selon sa demande{NBSP}: {days}."


def quoted(text: str) -> str:
    """«⍽texte⍽»."""
    return f"«{NBSP}{text}{NBSP}»"


def _begun(beginning: str, sentence: str) -> str:
    return beginning + sentence[0].lower() + sentence[1:] if beginning else sentence


def _letter(found: Explanation) -> str:
    if found.letter is None:
        return " dans une lettre"
    name = edition_name(found.letter.edition)
    edition = f", édition {name}" if name else ""
    return f" dans la lettre {found.letter.id}{edition}"


def _compared(found: Explanation, catalogue: Catalogue) -> Iterator[str]:
    named = [catalogue.label(one.sector) for one in found.sectors]
    yield f"L’avis est classé{NBSP}: {listed(named) or 'dans aucun secteur'}."
    if found.asked is not None:
        asked = [catalogue.label(slug) for slug in sorted(found.asked.sectors)]
        words = [quoted(word) for word in found.asked.own_words]
        told = f"Le contact demande{NBSP}: {listed(asked) or 'aucun secteur'}"
        yield f"{told}; mots-clés{NBSP}: {listed(words)}." if words else f"{told}."


def _seen(found: Explanation) -> str:
    closes = f"il ferme ou a fermé le {moment(found.closes_at)}" if found.closes_at else ""
    seen = f"Vu la première fois le {moment(found.seen_at)}" if found.seen_at else ""
    return f"{seen}; {closes or 'sa date limite n’est pas connue'}."

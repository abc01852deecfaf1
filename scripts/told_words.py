"""The French of what was told and by which letter: states, kinds, intervals of membership."""

from __future__ import annotations

from datetime import datetime, timedelta

from alerts.proof import Interval
from alerts.tables import Kind, LetterState, Stream
from base.clock import QUEBEC
from base.french import NBSP, hour
from scripts.not_mailed_words import NOT_MAILED

STATES: dict[str, str] = {
    LetterState.WRITTEN: "en attente",
    LetterState.CLAIMED: "en cours",
    LetterState.IN_DOUBT: "en cours",
    LetterState.ACCEPTED: "acceptée",
    LetterState.DEFERRED: "remise à plus tard",
    LetterState.REFUSED: "refusée",
    LetterState.UNKNOWN: "incertaine",
    LetterState.WITHDRAWN: "retirée",
    LetterState.QUARANTINED: "impossible à composer",
}
#: The rhythm, or the occasion, of an edition.
STREAMS: dict[str, str] = {
    Stream.WEEKLY: "hebdomadaire",
    Stream.DAILY: "quotidienne",
    Stream.INSTANT: "sans attendre",
    Stream.CHANGE: "modification",
    Stream.REMINDER: "rappel",
    Stream.ALIVE: "tout va bien",
    Stream.WELCOME: "bienvenue",
    Stream.RETURN: "retour",
    Stream.LAPSE: "fin d’adhésion",
}
KINDS: dict[str, str] = {
    Kind.NEW: "nouveau",
    Kind.CHANGE: "modification",
    Kind.CANCELLATION: "annulation",
    Kind.REMINDER: "rappel",
}


def stamp(at: datetime | None) -> str:
    """«2026-09-21 6⍽h⍽12», in Québec: for tables (docs/glossary.md)."""
    return f"{date(at)} {hour(at)}" if at else ""


def instant(at: datetime | None) -> str:
    """«2026-09-21 6⍽h⍽01⍽min⍽07⍽s», in Québec: where a second matters."""
    if at is None:
        return "jamais"
    local = at.astimezone(QUEBEC)
    clock = (f"{local.hour}{NBSP}h", f"{local.minute:02}{NBSP}min", f"{local.second:02}{NBSP}s")
    return f"{local.date().isoformat()} {NBSP.join(clock)}"


def date(at: datetime | None) -> str:
    """«2026-09-21», the day in Québec."""
    return at.astimezone(QUEBEC).date().isoformat() if at else ""


def became(state: str, why: str) -> str:
    """What became of a letter: «acceptée», «retirée (désabonnement)»."""
    said = STATES.get(state, state)
    return f"{said} ({NOT_MAILED.get(why, why)})" if why else said


def interval(membership: Interval | None) -> str:
    """«2024-01-01 au 2026-12-31», «depuis le 2024-01-01»; both days included."""
    if membership is None:
        return "aucune"
    begins = date(membership.starts_at)
    if membership.ends_at is None:
        return f"depuis le{NBSP}{begins}"
    return f"{begins} au{NBSP}{date(membership.ends_at - timedelta(microseconds=1))}"

"""The French of the consent dossier: its verdict, and its parts as tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from alerts.dossier import Dossier, Proof
from base.french import NBSP, count
from scripts.members_words import BASES
from scripts.not_mailed_words import NOT_MAILED
from scripts.persons_words import EVENTS, STATES, VIAS, moment, told
from scripts.subscriptions_words import ENDS, NAMES, ORIGINS


@dataclass(frozen=True, slots=True)
class Part:
    """One table of the dossier."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def verdict(found: Dossier) -> str:
    """What the rows prove, in a sentence."""
    sent, lacking = len(found.proofs), len(found.lacking)
    letters = count(sent, "lettre acceptée", "lettres acceptées")
    if not sent:
        return "Aucune lettre acceptée dans ce qui est encore gardé."
    if lacking:
        without = count(lacking, "lettre", "lettres")
        return (
            f"{letters}, dont {without} sans adhésion ou sans consentement inscrit{NBSP}: "
            "à examiner avec la personne responsable."
        )
    return (
        f"{letters}; à l’instant de chacune, une adhésion et un consentement étaient en vigueur "
        "et inscrits."
    )


def parts(found: Dossier) -> list[Part]:
    """The whole dossier, oldest first."""
    return [_who(found), *_rights(found), *_done(found), *_letters(found)]


def _who(found: Dossier) -> Part:
    names = {one.id: one.name for one in found.members}
    rows = tuple(
        (
            str(one.id),
            one.name or "effacé",
            one.address or "effacée",
            names.get(one.member_id) or "effacée",
            moment(one.created_at),
            _end(one.erased_at or one.ended_at),
        )
        for one in found.contacts
    )
    heads = ("Contact", "Nom", "Adresse", "Entreprise", "Depuis", "Jusqu’à")
    return Part("La personne", heads, rows)


def _rights(found: Dossier) -> list[Part]:
    memberships = tuple(
        (
            str(one.id),
            moment(one.starts_at),
            _end(one.ends_at),
            f"tenu pour vrai jusqu’au {moment(one.superseded_at)}" if one.superseded_at else "",
            one.reason,
            f"{one.recorded_by}, {moment(one.recorded_at)}",
        )
        for one in found.memberships
    )
    consents = tuple(
        (
            str(one.id),
            BASES.get(one.basis, one.basis),
            moment(one.starts_at),
            _end(one.ends_at),
            one.evidence or "rien",
            one.wording_hash or "rien",
            f"{one.recorded_by}, {moment(one.recorded_at)}",
        )
        for one in found.consents
    )
    spans = ("Début", "Fin")
    return [
        Part(
            "Les consentements",
            ("No", "Base", *spans, "Preuve", "Empreinte du texte", "Inscrit par"),
            consents,
        ),
        Part("Les adhésions", ("No", *spans, "Remplacée", "Raison", "Inscrite par"), memberships),
    ]


def _done(found: Dossier) -> list[Part]:
    choices = tuple(
        (
            moment(one.started_at),
            ORIGINS.get(one.origin, one.origin),
            NAMES.get(one.frequency, one.frequency),
            told("sectors", one.sectors, {}),
            _end(one.ended_at),
            _why_ended(one.end_reason, one.end_origin),
        )
        for one in found.subscriptions
    )
    events = tuple(
        (
            moment(one.at),
            EVENTS.get(one.what, one.what),
            VIAS.get(one.via, one.via),
            f"le {moment(one.undone_at)}" if one.undone_at else "non",
        )
        for one in found.events
    )
    suppressions = tuple(
        (one.address or "empreinte", one.reason, moment(one.set_at), _end(one.lifted_at))
        for one in found.suppressions
    )
    heads = ("Depuis", "Par", "Fréquence", "Secteurs", "Jusqu’à", "Pourquoi")
    return [
        Part("Ce qui était demandé", heads, choices),
        Part("Ce qui a été fait par les liens", ("Quand", "Quoi", "Comment", "Annulé"), events),
        Part(
            "Les adresses à ne plus joindre", ("Adresse", "Raison", "Depuis", "Levée"), suppressions
        ),
    ]


def _letters(found: Dossier) -> list[Part]:
    others = tuple(
        (
            str(one.id),
            moment(one.written_at),
            STATES.get(one.state, one.state),
            NOT_MAILED.get(one.why, one.why or one.reply),
        )
        for one in found.others
    )
    omissions = tuple(
        (moment(one.at), NOT_MAILED.get(one.why, one.why), one.detail) for one in found.omissions
    )
    heads = (
        "Lettre", "Instant", "Adhésion", "Consentement", "Réponse du serveur", "Message-ID",
        "SHA-256 du contenu",
    )  # fmt: skip
    return [
        Part("Les lettres acceptées", heads, tuple(_proof(one) for one in found.proofs)),
        Part("Les autres lettres", ("Lettre", "Écrite", "État", "Pourquoi"), others),
        Part("Ce qui n’a pas été envoyé", ("Quand", "Pourquoi", "Détail"), omissions),
    ]


def _proof(one: Proof) -> tuple[str, ...]:
    basis = one.consent.basis if one.consent else ""
    return (
        str(one.letter.id),
        moment(one.at),
        f"no {one.membership.id}" if one.membership else "aucune",
        f"no {one.consent.id}, {BASES.get(basis, basis)}" if one.consent else "aucun",
        one.letter.reply,
        one.letter.message_id,
        one.letter.sha256,
    )


def _end(at: datetime | None) -> str:
    return moment(at) if at else "en cours"


def _why_ended(reason: str, origin: str) -> str:
    return f"{ENDS.get(reason, reason)} ({ORIGINS.get(origin, origin)})" if reason else ""

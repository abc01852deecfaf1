"""The French of what a person must look at: one sentence a cause, with what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Each cause's sentence; names in braces are members of its detail.
SENTENCES: dict[str, str] = {
    "suspect leaves": (
        "{count} désabonnements en une heure semblent venir d’un filtre de courrier, pas de "
        "personnes. Ils sont faits; chacun peut être annulé par le lien de sa confirmation. "
        "Téléphoner aux entreprises touchées\u00a0: alertes abonnements voir CONTACT"
    ),
    "confirmation unwritable": (
        "La confirmation de l’événement {event} n’a pas pu être écrite. "
        "Vérifier l’adresse du contact, puis le prévenir par téléphone."
    ),
    "hold first run": (
        "Les toutes premières lettres sont prêtes (lettres\u00a0: {letters}; "
        "avis\u00a0: {notices}) et attendent votre accord. "
        "Pour les laisser partir : alertes envois reprendre"
    ),
    "hold brake": (
        "Les envois sont retenus, car l’édition dépasse de loin les précédentes : "
        "{letters} lettres (d’habitude {usual_letters}), {notices} avis en tout (d’habitude "
        "{usual_notices}). Si c’est normal : alertes envois reprendre"
    ),
    "hold restored": (
        "La base de données a été restaurée d’une copie de sauvegarde\u00a0: rien ne part. Voir ce "
        "qui a été envoyé depuis cette copie (docs/operations.md), puis\u00a0: "
        "alertes envois reprendre"
    ),
    "hold policy": (
        "Les envois sont retenus : {refusals} lettres ont été refusées parce que nous ne "
        "sommes pas les bienvenus. Voir les réponses avec « alertes envois etat », "
        "puis appeler qui gère le serveur d’envoi, et enfin : alertes envois reprendre"
    ),
    "quarantined": (
        "Édition {edition} : des lettres n’ont pas pu être composées ou remises; toutes "
        "les autres sont parties. Voir lesquelles : alertes envois quarantaine"
    ),
    "left out": (
        "L’avis {number} ({source}) ne peut pas être montré ({error}) et a été laissé de côté; "
        "les lettres sont parties sans lui. Le signaler à qui entretient le programme."
    ),
    "relay refuses": (
        "Le serveur d’envoi refuse nos lettres : {words}. Rien n’est perdu; les envois "
        "reprendront d’eux-mêmes quand les réglages SMTP seront corrigés."
    ),
    "relay away": (
        "Le serveur d’envoi ne répond pas depuis plus d’une heure. Rien n’est perdu; les "
        "envois reprendront d’eux-mêmes. Appeler qui gère ce serveur."
    ),
    "address_lost": (
        "L’adresse du contact {contact} ne reçoit plus rien\u00a0: l’appeler. "
        "La feuille d’appels\u00a0: alertes envois a-appeler"
    ),
    "erased address": (
        "Le contact {contact} a été ajouté avec une adresse effacée ou désabonnée\u00a0: rien ne "
        "lui sera envoyé. Si la personne le demande elle-même\u00a0: alertes personne readmettre "
        "ADRESSE --preuve «\u00a0sa demande\u00a0»; sinon, la retirer de la liste des membres."
    ),
    "files not rewritten": (
        "Une personne est effacée des tables, mais les fichiers de la base de données n’ont pas pu "
        "être récrits. Le service essaie chaque nuit. Vérifier l’espace libre, puis\u00a0: "
        "alertes personne conservation --appliquer"
    ),
    "complaint": (
        "La lettre {letter} a été signalée comme pourriel par la personne qui l’a reçue. "
        "Plus rien ne part à cette adresse; ne pas la rappeler sans raison."
    ),
    "turned_away": (
        "{addresses} adresses refusent nos lettres par politique (5.7.x)\u00a0: les envois sont "
        "retenus. Vérifier SPF, DKIM et DMARC, puis\u00a0: alertes envois reprendre"
    ),
    "returns_unreadable": (
        "La boîte des retours ne peut pas être lue ({reason}). Vérifier BOUNCE_MAILBOX et "
        "BOUNCE_PASSWORD, puis\u00a0: alertes envois retours"
    ),
    "service silent": (
        "Le service ne donne plus signe de vie. Aucune lettre ne part tant qu’il est arrêté. Le "
        "redémarrer\u00a0: systemctl restart alertes, puis lire journalctl -u alertes"
    ),
    "pages silent": (
        "Les pages des membres ne répondent plus\u00a0: personne ne peut se désabonner par un "
        "lien. Les redémarrer\u00a0: systemctl restart alertes-pages, puis lire "
        "journalctl -u alertes-pages"
    ),
    "edition absent": (
        "L’édition {edition} n’était pas écrite à 8\u00a0h\u00a030. Voir pourquoi\u00a0: "
        "journalctl -u alertes, puis la faire partir\u00a0: alertes envois envoyer"
    ),
    "edition stuck": (
        "Les lettres de l’édition {edition} ne partent pas, et rien ne les retient. Voir "
        "pourquoi\u00a0: alertes envois etat, puis journalctl -u alertes"
    ),
    "edition held": (
        "Les lettres de l’édition {edition} sont prêtes et attendent votre accord. Voir "
        "pourquoi\u00a0: alertes envois etat"
    ),
    "source late": (
        "{source} : rien de nouveau depuis le {since}, alors que la source publie d’habitude plus "
        "souvent. Regarder si elle a publié, puis : alertes sources lire {key}"
    ),
    "source silent": (
        "{source} : la source ne répond plus depuis le {since}. Voir pourquoi : alertes sources"
    ),
    "source shrunken": (
        "{source} : depuis le {since}, le document est deux fois plus court que d’habitude. Ce "
        "qu’il contient a été pris; ce qui y manque n’a pas été tenu pour fermé. S’il est juste : "
        "alertes sources accepter {key}"
    ),
    "source changed": (
        "{source} : depuis le {since}, le document n’a plus la même forme; il est gardé, et rien "
        "n’en a été pris. S’il est juste : alertes sources accepter {key}"
    ),
    "source backlog": (
        "Avis vus trop tard pour être des nouvelles : {count}. Les voir et choisir : "
        "alertes avis anciens"
    ),
}


def sentence(cause: str, detail: Mapping[str, Any]) -> str:
    """What it is and what to do, in one or two sentences."""
    words = SENTENCES.get(cause)
    if words is None:
        return f"{cause} {dict(detail)}"
    return words.format_map(detail)

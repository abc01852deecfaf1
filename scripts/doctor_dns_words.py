"""The French of what receivers of mail look up : SPF, DKIM, DMARC, alignment, reverse name."""

from __future__ import annotations

from alerts.doctor.findings import Check
from base.french import NBSP

_SILENCE = (
    "Le DNS ne répond pas d’ici. Recommencer plus tard, ou depuis une machine qui a Internet."
)
_SETTINGS = "Les réglages du relais ne sont pas tous remplis."
_HOST = "chez qui tient le DNS de {domain}"
_ONLY_ONE = "Les réunir en un seul"

DNS_SENTENCES: dict[tuple[Check, str], str] = {
    (Check.SIGNING, "relay"): "Le relais signe les lettres : DKIM_KEY_FILE est vide.",
    (Check.SIGNING, "ours"): "Nous signons les lettres avec la clé {selector}.",
    (Check.SIGNING, "key unreadable"): (
        "{file} n’est pas une clé RSA que le service peut lire (PEM, sans mot de passe) : aucune "
        "lettre ne pourrait partir. Voir les droits du fichier, ou refaire la clé avec openssl."
    ),
    (Check.SIGNING, "key open"): (
        "D’autres utilisateurs de cette machine peuvent lire ou changer {file}, la clé qui signe. "
        f"Lancer{NBSP}: chmod 600 {{file}}"
    ),
    (Check.SIGNING, "key short"): (
        "La clé de {file} a moins de 2048 bits. En faire une autre, sous un autre nom : voir "
        "« Signer les lettres » dans docs/operations.md."
    ),
    (Check.SIGNING, "settings"): _SETTINGS,
    (Check.RETURN, "fine"): "Un serveur reçoit le courriel qui revient à {domain}.",
    (Check.RETURN, "settings"): _SETTINGS,
    (Check.RETURN, "silence"): _SILENCE,
    (Check.RETURN, "no server"): (
        f"Aucun serveur ne reçoit le courriel de {{domain}} : les retours se perdraient. Ajouter "
        f"un enregistrement MX {_HOST}, ou changer BOUNCE_EMAIL."
    ),
    (Check.SPF, "fine"): "{domain} dit qui peut écrire en son nom ({lookups} recherches sur 10).",
    (Check.SPF, "absent"): (
        f"{{domain}} ne dit pas qui peut écrire en son nom. Ajouter {_HOST} l’enregistrement TXT "
        "v=spf1 que le fournisseur du relais indique."
    ),
    (Check.SPF, "two"): (
        f"{{domain}} a deux enregistrements v=spf1 : ils s’annulent. {_ONLY_ONE} {_HOST}."
    ),
    (Check.SPF, "syntax"): (
        f"L’enregistrement v=spf1 de {{domain}} est mal écrit. Le corriger {_HOST}."
    ),
    (Check.SPF, "lookups"): (
        "L’enregistrement v=spf1 de {domain} demande plus de 10 recherches : il ne compte plus. En "
        "retirer les include qui ne servent pas."
    ),
    (Check.SPF, "void lookups"): (
        "L’enregistrement v=spf1 de {domain} nomme trop de domaines qui n’existent pas."
    ),
    (Check.SPF, "loop"): (
        "L’enregistrement v=spf1 de {domain} s’inclut lui-même. Retirer cet include ou redirect."
    ),
    (Check.SPF, "include"): (
        "L’enregistrement v=spf1 de {domain} inclut {included}, qui n’a pas de SPF. Corriger ou "
        "retirer cet include."
    ),
    (Check.SPF, "everybody"): (
        "L’enregistrement v=spf1 de {domain} permet à tous d’écrire en son nom. Remplacer +all "
        "par ~all ou -all."
    ),
    (Check.SPF, "open"): (
        "L’enregistrement v=spf1 de {domain} ne dit rien de qui n’est pas nommé. Le terminer par "
        "~all ou -all."
    ),
    (Check.SPF, "not this machine"): (
        "L’enregistrement v=spf1 de {domain} ne nomme pas cette machine ({addresses}), d’où "
        "partent les lettres. Y ajouter son adresse (ip4 ou ip6)."
    ),
    (Check.SPF, "silence"): _SILENCE,
    (Check.SPF, "settings"): _SETTINGS,
    (Check.DKIM, "fine"): "La clé {selector} de {domain} est publiée et peut être utilisée.",
    (Check.DKIM, "weak"): (
        "La clé {selector} de {domain} est publiée, mais a moins de 2048 bits : demander au "
        "fournisseur du relais une clé plus longue."
    ),
    (Check.DKIM, "none"): (
        "{domain} n’a aucune clé DKIM. Demander au fournisseur du relais celle à publier, et "
        "mettre son nom dans DKIM_SELECTORS."
    ),
    (Check.DKIM, "absent"): (
        "La clé {selector} n’est pas publiée pour {domain}. Vérifier DKIM_SELECTORS, puis publier "
        "la clé que le fournisseur du relais indique."
    ),
    (Check.DKIM, "no selector"): (
        "{domain} a des clés DKIM, mais leur nom n’est pas connu. Demander au fournisseur du "
        "relais son sélecteur, et le mettre dans DKIM_SELECTORS."
    ),
    (Check.DKIM, "revoked"): (
        "La clé {selector} est révoquée (p= est vide). Publier celle que le relais utilise."
    ),
    (Check.DKIM, "unusable"): (
        "La clé {selector} ne peut pas être lue. La copier de nouveau, en entier, depuis le site "
        "du fournisseur."
    ),
    (Check.DKIM, "short"): (
        "La clé {selector} n’a que {bits} bits : les grands fournisseurs la refusent. En publier "
        "une de 2048."
    ),
    (Check.DKIM, "testing"): (
        "La clé {selector} est marquée à l’essai (t=y) : elle ne compte pas. Retirer t=y."
    ),
    (Check.DKIM, "two"): (
        "Deux enregistrements portent le nom de la clé {selector}. N’en garder qu’un."
    ),
    (Check.DKIM, "no key"): "La clé qui signe ne peut pas être lue : voir « Signature ».",
    (Check.DKIM, "unpublished"): (
        "{name} n’est pas dans le DNS : chaque signature serait refusée. Y publier le TXT"
        f"{NBSP}: {{record}}"
    ),
    (Check.DKIM, "another key"): (
        "{name} ne donne pas la moitié publique de la clé qui signe : chaque signature serait "
        f"refusée. Y publier le TXT{NBSP}: {{record}}"
    ),
    (Check.DKIM, "silence"): _SILENCE,
    (Check.DKIM, "settings"): _SETTINGS,
    (Check.DMARC, "fine"): (
        "{domain} fait refuser ou écarter ce qui est envoyé en son nom par d’autres (p={policy})."
    ),
    (Check.DMARC, "watching"): (
        "{domain} reçoit des rapports sans rien faire refuser (p=none). Après quelques semaines "
        "sans surprise, passer à p=quarantine."
    ),
    (Check.DMARC, "no reports"): (
        "L’enregistrement DMARC de {domain} ne demande pas de rapports. Y ajouter "
        "rua=mailto:adresse-lue."
    ),
    (Check.DMARC, "absent"): (
        "{domain} n’a pas d’enregistrement DMARC : Gmail et Yahoo le demandent. Ajouter le TXT "
        f"_dmarc.{{domain}}{NBSP}: v=DMARC1; p=none; rua=mailto:adresse-lue"
    ),
    (Check.DMARC, "two"): (
        f"{{domain}} a deux enregistrements DMARC : aucun ne compte. {_ONLY_ONE} {_HOST}."
    ),
    (Check.DMARC, "unrelated"): (
        "Autre chose qu’un enregistrement DMARC est à _dmarc.{domain}. L’y remplacer."
    ),
    (Check.DMARC, "misplaced"): (
        "L’enregistrement DMARC est à {domain}; il doit être à _dmarc.{domain}. Le déplacer."
    ),
    (Check.DMARC, "syntax"): (
        "L’enregistrement DMARC de {domain} est mal écrit. Le corriger, par exemple"
        f"{NBSP}: v=DMARC1; p=none; rua=mailto:adresse-lue"
    ),
    (Check.DMARC, "silence"): _SILENCE,
    (Check.DMARC, "settings"): _SETTINGS,
    (Check.ALIGNMENT, "fine"): "SPF et DKIM parlent tous deux au nom de {author}.",
    (Check.ALIGNMENT, "one"): (
        "L’un de SPF et DKIM parle au nom de {author}, l’autre n’est pas en place : DMARC tient, "
        "mais un transfert de courriel peut le faire échouer."
    ),
    (Check.ALIGNMENT, "neither"): "Ni SPF ni DKIM n’ont pu être lus : voir plus haut.",
    (Check.ALIGNMENT, "spf"): (
        "BOUNCE_EMAIL est à {returns}, AUTHOR_EMAIL à {author} : SPF ne compte pas pour DMARC. Les "
        "mettre dans le même domaine."
    ),
    (Check.ALIGNMENT, "spf strict"): (
        "DMARC demande le même domaine exactement (aspf=s), mais BOUNCE_EMAIL est à {returns} et "
        "AUTHOR_EMAIL à {author}. Les accorder, ou retirer aspf=s."
    ),
    (Check.ALIGNMENT, "dkim strict"): (
        "DMARC demande le même domaine exactement (adkim=s), mais la clé DKIM est à {signed} et "
        "AUTHOR_EMAIL à {author}. Publier la clé à {author}, ou retirer adkim=s."
    ),
    (Check.ALIGNMENT, "silence"): _SILENCE,
    (Check.ALIGNMENT, "settings"): _SETTINGS,
    (Check.PTR, "fine"): "L’adresse de {host} porte un nom qui mène à elle.",
    (Check.PTR, "no address"): (
        "{host} n’a pas d’adresse dans le DNS. Ajouter un enregistrement A à ce nom."
    ),
    (Check.PTR, "absent"): (
        "L’adresse {address} de {host} n’a pas de nom (PTR). Le demander à l’hébergeur de la "
        "machine, ou au fournisseur du relais si c’est la sienne."
    ),
    (Check.PTR, "unconfirmed"): (
        "L’adresse {address} porte le nom {name}, qui ne mène pas à elle. Accorder le PTR et "
        "l’enregistrement A."
    ),
    (Check.PTR, "another name"): (
        "L’adresse {address} porte le nom {name}, mais cette machine se présente comme {host}. "
        "Accorder les deux."
    ),
    (Check.PTR, "private"): (
        "{host} a une adresse privée : celle d’où le courriel sort n’est pas connue d’ici."
    ),
    (Check.PTR, "no name"): (
        "Cette machine n’a pas de nom complet ({host}). Lui en donner un, par exemple "
        "courriel.exemple.quebec."
    ),
    (Check.PTR, "silence"): _SILENCE,
    (Check.PTR, "settings"): _SETTINGS,
}

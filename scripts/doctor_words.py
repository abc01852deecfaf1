"""The French of `alertes verifier`: what each check is called, what was found, what to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from alerts.doctor.findings import Check, Finding, State
from base.french import NBSP, count, day, hour, listed
from scripts.doctor_dns_words import DNS_SENTENCES

STATES: dict[State, str] = {
    State.FINE: "Bien",
    State.MEND: "À corriger",
    State.UNKNOWN: "Non vérifié",
}

CHECKS: dict[Check, str] = {
    Check.SETTINGS: "Réglages",
    Check.LEGAL: "Mentions légales",
    Check.KEYS: "Clés des liens",
    Check.DATABASE: "Base de données",
    Check.MIGRATIONS: "Version de la base",
    Check.CLOCK: "Horloge et fuseau",
    Check.JOURNAL: "Journal des remises",
    Check.DISK: "Espace disque",
    Check.SOURCES: "Sources d’avis",
    Check.RELAY: "Relais de courriel",
    Check.ALLOWED: "Envois permis",
    Check.BOUNCES: "Boîte des retours",
    Check.PAGES: "Pages des membres",
    Check.SIGNING: "Signature",
    Check.RETURN: "DNS, retours",
    Check.SPF: "DNS, SPF",
    Check.DKIM: "DNS, DKIM",
    Check.DMARC: "DNS, DMARC",
    Check.ALIGNMENT: "DNS, alignement",
    Check.PTR: "DNS, nom inverse",
}

_READ = f"alertes sources lire, puis alertes sources{NBSP}: la colonne État dit ce qui manque."

#: By check and cause; names in braces are members of the finding's detail.
SENTENCES: dict[tuple[Check, str], str] = {
    (Check.SETTINGS, "fine"): "Tous les réglages nécessaires sont là et peuvent être utilisés.",
    (Check.SETTINGS, "missing"): (
        f"Il manque{NBSP}: {{names}}. Lancer alertes installer, ou les remplir dans le fichier "
        ".env (voir .env.example)."
    ),
    (Check.SETTINGS, "invalid"): "{name} : {expected}",
    (Check.SETTINGS, "no address"): (
        "{name} n’est pas une adresse de courriel. La corriger dans le fichier .env."
    ),
    (Check.SETTINGS, "no domain"): (
        "{name} n’est pas un domaine, comme alertes.exemple.quebec. Le corriger dans le fichier "
        ".env."
    ),
    (Check.SETTINGS, "readable"): (
        "D’autres utilisateurs de cette machine peuvent lire le fichier {file}, où sont le mot de "
        f"passe et les clés. Lancer{NBSP}: chmod 600 {{file}}"
    ),
    (Check.LEGAL, "fine"): (
        "Nom, adresse postale, contact et responsable des renseignements personnels sont là "
        "({name})."
    ),
    (Check.LEGAL, "postal address"): (
        "L’adresse postale paraît incomplète : la loi (LCAP) demande une adresse où une lettre "
        "arrive, avec son code postal. Compléter POSTAL_ADDRESS."
    ),
    (Check.LEGAL, "contact"): (
        "CONTACT_EMAIL doit être une adresse de courriel ou une page Web où une personne répond "
        "(LCAP)."
    ),
    (Check.LEGAL, "officer"): (
        "PRIVACY_OFFICER ne dit pas comment joindre la personne responsable (Loi 25) : ajouter à "
        "son titre un courriel ou un téléphone."
    ),
    (Check.LEGAL, "settings"): "Les réglages qui disent qui écrit ne sont pas tous remplis.",
    (Check.KEYS, "fine"): "{keys}; celle qui signe a {age}.",
    (Check.KEYS, "unknown age"): (
        "{keys}, de longueur suffisante. L’âge de celle qui signe n’est pas connu : alertes "
        "installer le note à partir d’aujourd’hui."
    ),
    (Check.KEYS, "old"): (
        "La clé qui signe les liens a {age}. En ajouter une nouvelle (alertes cles renouveler), "
        "sans retirer l’ancienne : les liens déjà envoyés en ont besoin."
    ),
    (Check.KEYS, "twice"): "La même clé est deux fois dans LINK_KEYS. En retirer une.",
    (Check.KEYS, "guessable"): (
        "Une clé de LINK_KEYS se devine (toujours les mêmes caractères). En ajouter une autre à "
        f"la suite; pour la créer{NBSP}: "
        'python3 -c "import secrets; print(secrets.token_urlsafe(32))"'
    ),
    (Check.KEYS, "settings"): "LINK_KEYS manque ou ne peut pas être utilisé.",
    (Check.KEYS, "no database"): (
        "La longueur des clés convient; leur âge est dans la base de données, qui ne s’ouvre pas."
    ),
    (Check.DATABASE, "fine"): "Elle s’ouvre et peut être écrite.",
    (Check.DATABASE, "absent"): (
        f"Il n’y en a pas à l’endroit que dit DATABASE_URL. La créer{NBSP}: alertes base creer"
    ),
    (Check.DATABASE, "unopened"): (
        "Elle ne s’ouvre pas. Vérifier DATABASE_URL, que le serveur répond ou que le fichier est "
        "bien une base de données, et vos droits."
    ),
    (Check.DATABASE, "read only"): (
        "Elle ne peut pas être écrite : un autre programme l’occupe, le disque est plein, ou vos "
        "droits manquent. Recommencer dans une minute avec l’utilisateur du service."
    ),
    (Check.DATABASE, "settings"): "DATABASE_URL ne peut pas être utilisé.",
    (Check.MIGRATIONS, "fine"): "Elle est à la version du programme.",
    (Check.MIGRATIONS, "outdated"): (
        "Elle est à la version {found}, le programme attend {wanted}. Faire une copie de "
        f"sauvegarde, puis{NBSP}: alertes base mettre-a-niveau"
    ),
    (Check.MIGRATIONS, "no database"): "La base de données ne s’ouvre pas.",
    (Check.MIGRATIONS, "settings"): "DATABASE_URL ne peut pas être utilisé.",
    (Check.CLOCK, "fine"): "Au Québec, nous sommes le {now}.",
    (Check.CLOCK, "no zone"): (
        "Les données du fuseau America/Toronto manquent. Réinstaller le programme (paquet tzdata)."
    ),
    (Check.CLOCK, "wrong zone"): (
        "Les données du fuseau America/Toronto sont fausses. Mettre à jour le paquet tzdata du "
        "système."
    ),
    (Check.CLOCK, "behind"): (
        "L’horloge dit {now}, mais la base a des lignes du {last} : elle retarde. La régler "
        "(timedatectl set-ntp true) avant tout envoi."
    ),
    (Check.JOURNAL, "fine"): "Il peut être écrit et s’accorde avec la base.",
    (Check.JOURNAL, "new"): "Il n’existe pas encore; il sera créé au premier envoi.",
    (Check.JOURNAL, "folder"): (
        "Son dossier ne peut pas être écrit : aucune lettre ne pourrait partir. Donner ce droit à "
        "l’utilisateur du service, ou changer JOURNAL_FILE."
    ),
    (Check.JOURNAL, "unwritable"): (
        "Il ne peut pas être écrit : aucune lettre ne pourrait partir. Vérifier les droits de "
        "JOURNAL_FILE."
    ),
    (Check.JOURNAL, "ahead"): (
        "Il compte {journal} lettres remises, la base {database} : la base vient d’une copie de "
        "sauvegarde ou d’une autre machine. Les envois seront retenus; voir alertes envois etat."
    ),
    (Check.JOURNAL, "settings"): "JOURNAL_FILE ne peut pas être lu dans les réglages.",
    (Check.DISK, "fine"): "{free} libres.",
    (Check.DISK, "full"): (
        "Il reste {free} dans {folder}; il en faut {needed} pour travailler et faire une copie de "
        "sauvegarde. Libérer de la place."
    ),
    (Check.DISK, "unseen"): "L’espace libre ne peut pas être lu avec vos droits.",
    (Check.DISK, "settings"): "Les réglages ne disent pas où sont les fichiers.",
    (Check.SOURCES, "fine"): "{sources} à jour.",
    (Check.SOURCES, "never"): (
        f"{{source}} n’a jamais été lue. Le service la lit chaque heure; maintenant{NBSP}: alertes "
        "sources lire {source}"
    ),
    (Check.SOURCES, "failing"): (
        "{source} ne répond pas depuis le {since}. Le service réessaie toutes les heures; rien à "
        "faire avant deux jours ouvrables."
    ),
    (Check.SOURCES, "late"): f"{{source}} est en retard depuis le {{since}}. {_READ}",
    (Check.SOURCES, "silent"): f"{{source}} est muette depuis le {{since}}. {_READ}",
    (Check.SOURCES, "shrunken"): (
        "{source} donne beaucoup moins qu’avant depuis le {since}. Regarder à la source; si c’est "
        f"juste{NBSP}: alertes sources accepter {{source}}"
    ),
    (Check.SOURCES, "changed"): (
        "{source} a changé de forme depuis le {since} et n’est plus lue. Regarder à la source; si "
        f"c’est juste{NBSP}: alertes sources accepter {{source}}"
    ),
    (Check.SOURCES, "no database"): "La base de données ne s’ouvre pas.",
    (Check.RELAY, "fine"): "{host} est chiffré, son certificat est bon, le mot de passe accepté.",
    (Check.RELAY, "no user"): (
        "{host} est chiffré et son certificat est bon; il ne demande pas de mot de passe."
    ),
    (Check.RELAY, "loopback"): "Le serveur de courriel de cette machine répond.",
    (Check.RELAY, "silent"): (
        "{host} ne répond pas en 20 secondes au port {port}. Vérifier SMTP_HOST, SMTP_PORT et que "
        "le pare-feu laisse sortir."
    ),
    (Check.RELAY, "unreachable"): (
        "Personne ne répond à {host}, port {port}. Vérifier SMTP_HOST et SMTP_PORT auprès du "
        "fournisseur, et le pare-feu."
    ),
    (Check.RELAY, "untrusted"): (
        "Le certificat de {host} ne peut pas être vérifié : rien ne lui a été dit. Vérifier "
        f"SMTP_HOST; s’il a sa propre autorité, SMTP_CA_FILE. Détail{NBSP}: {{words}}"
    ),
    (Check.RELAY, "credentials"): (
        "{host} refuse l’utilisateur ou le mot de passe. Corriger SMTP_USER et SMTP_PASSWORD. "
        f"Sa réponse{NBSP}: {{words}}"
    ),
    (Check.RELAY, "no encryption"): (
        "{host} n’offre pas le chiffrement à ce port : le mot de passe ne lui a pas été dit. "
        "Essayer SMTP_TLS=implicit avec le port 465, ou starttls avec 587."
    ),
    (Check.RELAY, "no authentication"): (
        "{host} n’offre pas l’authentification à ce port. Vérifier SMTP_PORT, souvent 587 ou 465, "
        "ou vider SMTP_USER si le relais n’en demande pas."
    ),
    (Check.RELAY, "refused"): (
        "{host} nous refuse. Demander au fournisseur, avec sa réponse : {words}"
    ),
    (Check.RELAY, "busy"): "{host} demande de revenir plus tard. Recommencer dans dix minutes.",
    (Check.RELAY, "settings"): "Les réglages du relais ne sont pas tous remplis.",
    (Check.ALLOWED, "everybody"): (
        "MAIL_ALLOWED=* : les lettres partent à tous les contacts qui y ont droit."
    ),
    (Check.ALLOWED, "some"): (
        "Les lettres ne partent qu’à {entries} (MAIL_ALLOWED), pour l’essai. Pour ouvrir à "
        f"tous les membres{NBSP}: MAIL_ALLOWED=*"
    ),
    (Check.ALLOWED, "nobody"): (
        "MAIL_ALLOWED est vide : aucune lettre ne peut partir à un membre. Y mettre d’abord votre "
        "adresse, puis * quand l’essai est bon."
    ),
    (Check.ALLOWED, "malformed"): (
        "MAIL_ALLOWED contient {wrong} qui n’est ni une adresse, ni un domaine, ni *. Les entrées "
        "se séparent par des espaces."
    ),
    (Check.ALLOWED, "settings"): "Les réglages du relais ne sont pas tous remplis.",
    (Check.BOUNCES, "fine"): "Elle s’ouvre.",
    (Check.BOUNCES, "none"): (
        "BOUNCE_MAILBOX est vide : ni les adresses mortes ni les désabonnements par courriel ne "
        "sont lus. Y mettre la boîte de BOUNCE_EMAIL."
    ),
    (Check.BOUNCES, "unreadable"): (
        "Elle ne s’ouvre pas. Vérifier BOUNCE_MAILBOX et BOUNCE_PASSWORD. Détail : {words}"
    ),
    (Check.BOUNCES, "settings"): "BOUNCE_MAILBOX ne peut pas être utilisé.",
    (Check.PAGES, "fine"): "{url} répond, chiffré.",
    (Check.PAGES, "unreachable"): (
        "Personne ne répond à {url} : les liens des lettres ne marcheraient pas. Démarrer "
        "les pages (alertes pages), puis vérifier le DNS et le serveur Web qui les montre."
    ),
    (Check.PAGES, "slow"): "{url} ne répond pas en 8 secondes. Vérifier le serveur Web.",
    (Check.PAGES, "untrusted"): (
        "Le certificat de {url} ne peut pas être vérifié. Le renouveler sur le serveur Web."
    ),
    (Check.PAGES, "elsewhere"): (
        "{url} renvoie ailleurs : un désabonnement en un clic s’y perdrait. Mettre dans PUBLIC_URL "
        "l’adresse finale."
    ),
    (Check.PAGES, "another"): (
        "Ce n’est pas notre service qui répond à {url} (réponse {status}). Vérifier PUBLIC_URL et "
        "le serveur Web."
    ),
    (Check.PAGES, "no privacy"): (
        "La page de confidentialité ne répond pas (réponse {status}). Voir le journal des pages."
    ),
    (Check.PAGES, "no database"): (
        "{url} répond, mais les pages ne peuvent pas lire la base de données. Vérifier que "
        "DATABASE_URL y est le même qu’ici, puis redémarrer les pages."
    ),
    (Check.PAGES, "no service"): (
        "{url} répond, mais le service d’alertes ne travaille pas. Le démarrer "
        f"(python -m alerts){NBSP}: rien n’est lu ni envoyé sans lui."
    ),
    (Check.PAGES, "settings"): "PUBLIC_URL manque ou ne peut pas être utilisé.",
    **DNS_SENTENCES,
}


def sentence(finding: Finding) -> str:
    """What was found, and what to do about it."""
    return SENTENCES[finding.check, finding.cause].format(**_said(finding.detail))


def _said(detail: Mapping[str, object]) -> dict[str, str]:
    """The detail in words; what a sentence counts or measures has a name of its own."""
    said = {name: _plain(value) for name, value in detail.items()}
    for name, (source, words) in _IN_WORDS.items():
        if isinstance(value := detail.get(source), int):
            said[name] = words(value)
    return said


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return f"{day(value)}, {hour(value)}"
    return listed([str(one) for one in value]) if isinstance(value, list) else str(value)


def _size(octets: int) -> str:
    """«1,5⍽Go»."""
    unit, name = (1_000_000_000, "Go") if octets >= 1_000_000_000 else (1_000_000, "Mo")
    return f"{octets / unit:.1f}{NBSP}{name}".replace(".", ",")


_IN_WORDS: dict[str, tuple[str, Callable[[int], str]]] = {
    "keys": ("count", lambda n: count(n, "clé", "clés")),
    "age": ("days", lambda n: count(n, "jour", "jours")),
    "sources": ("count", lambda n: count(n, "source", "sources")),
    "entries": ("count", lambda n: count(n, "adresse ou domaine", "adresses ou domaines")),
    "wrong": ("count", lambda n: count(n, "entrée", "entrées")),
    "free": ("free", _size),
    "needed": ("needed", _size),
}

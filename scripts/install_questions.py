"""What `alertes installer` asks, in its order: what a co-op knows, each explained in a line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from alerts.doctor import setting_checks as checks
from base import settings
from base.fault_words import expected
from base.text import clean

Known = Mapping[str, str]


def _nothing(_known: Known) -> str:
    return ""


def _always(_known: Known) -> bool:
    return True


def _any(_value: str) -> bool:
    return True


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """One variable, as it is asked for."""

    name: str
    label: str
    #: One line that says what it is for.
    why: str
    is_right: Callable[[str], bool] = _any
    #: What is said of an answer that is not right, instead of what the settings say.
    wrong: str = ""
    #: What is proposed where nothing is set, from the answers so far.
    default: Callable[[Known], str] = _nothing
    is_asked: Callable[[Known], bool] = _always
    required: bool = True
    secret: bool = False

    def fault(self, value: str, known: Known) -> str:
        """What is wrong with that answer, in French; "" where nothing is."""
        if not value:
            return "Il faut une réponse." if self.required else ""
        if not self.is_right(value):
            return self.wrong
        return (
            ""
            if settings.is_usable(self.name, {**known, self.name: value})
            else expected(self.name)
        )

    def read(self, answer: str) -> str:
        """The answer as it is kept: one line, without what cannot be seen."""
        return answer.strip() if self.secret else clean(answer).strip("\u00a0 ")


_NO_ADDRESS = "Ce n’est pas une adresse de courriel. Écrire par exemple alertes@exemple.quebec."
_NO_DOMAIN = "Ce n’est pas un domaine. Écrire par exemple alertes.exemple.quebec."


def _domain_of(name: str) -> Callable[[Known], str]:
    return lambda known: known.get(name, "").rpartition("@")[2]


def _beside(local: str, name: str) -> Callable[[Known], str]:
    """That mailbox in the domain of another answer, where that is an address."""

    def address(known: Known) -> str:
        other = known.get(name, "")
        return f"{local}@{other.rpartition('@')[2]}" if checks.is_address(other) else ""

    return address


def _encryption(known: Known) -> str:
    if checks.is_loopback(known.get("SMTP_HOST", "")):
        return "none"
    return "implicit" if known.get("SMTP_PORT") == "465" else "starttls"


def _staff(known: Known) -> str:
    contact = known.get("CONTACT_EMAIL", "")
    return contact if checks.is_address(contact) else ""


QUESTIONS: tuple[Question, ...] = (
    Question(
        name="TENANT_NAME",
        label="Nom de la coopérative",
        why="Tel que les membres le connaissent; il signe chaque lettre.",
    ),
    Question(
        name="POSTAL_ADDRESS",
        label="Adresse postale",
        why="Complète, sur une ligne, avec le code postal; la loi (LCAP) la demande.",
        is_right=checks.is_whole_postal,
        wrong="Il faut la rue, la ville et le code postal, par exemple : "
        "1, rue Fictive, Saint-Jérôme (Québec) J7Z 1A1.",
    ),
    Question(
        name="CONTACT_EMAIL",
        label="Contact",
        why="Le courriel (ou la page Web) où une personne répond aux membres.",
        is_right=checks.is_answerable,
        wrong="Il faut une adresse de courriel, ou une page qui commence par https://.",
    ),
    Question(
        name="PRIVACY_OFFICER",
        label="Responsable des renseignements personnels",
        why="Titre, et courriel ou téléphone (Loi 25); souvent la direction.",
        is_right=checks.names_a_contact,
        wrong="Il faut aussi un moyen de joindre cette personne, par exemple : "
        "Direction générale, vie-privee@exemple.quebec.",
    ),
    Question(
        name="PUBLIC_URL",
        label="Adresse publique des pages",
        why="Là où mènent les liens, par exemple https://alertes.exemple.quebec",
    ),
    Question(
        name="STAFF_EMAIL",
        label="Votre courriel",
        why="La lettre d’essai et les alarmes y vont; une boîte partagée convient.",
        is_right=checks.is_address,
        wrong=_NO_ADDRESS,
        default=_staff,
    ),
    Question(
        name="SMTP_HOST",
        label="Serveur du relais",
        why="Le serveur qui prend nos lettres, dit par le fournisseur de courriel.",
        is_right=lambda value: " " not in value and (checks.is_loopback(value) or "." in value),
        wrong="Il faut un nom de serveur, par exemple relais.exemple.quebec.",
    ),
    Question(
        name="SMTP_PORT",
        label="Port du relais",
        why="587 le plus souvent, ou 465.",
        is_right=lambda value: value.isascii() and value.isdigit() and 0 < int(value) < 65536,
        wrong="Il faut un nombre de 1 à 65535, le plus souvent 587.",
        default=lambda known: "25" if checks.is_loopback(known.get("SMTP_HOST", "")) else "587",
    ),
    Question(
        name="SMTP_TLS",
        label="Chiffrement du relais",
        why="starttls avec 587, implicit avec 465; none seulement pour cette machine.",
        default=_encryption,
    ),
    Question(
        name="SMTP_USER",
        label="Utilisateur du relais",
        why="Laisser vide si le relais n’en demande pas.",
        required=False,
    ),
    Question(
        name="SMTP_PASSWORD",
        label="Mot de passe du relais",
        why="Gardé dans le fichier .env, que vous seul pouvez lire.",
        is_asked=lambda known: bool(known.get("SMTP_USER")),
        secret=True,
    ),
    Question(
        name="AUTHOR_EMAIL",
        label="Adresse d’où partent les lettres",
        why="Ce que les membres voient; le relais doit la permettre.",
        is_right=checks.is_address,
        wrong=_NO_ADDRESS,
        default=_beside("alertes", "CONTACT_EMAIL"),
    ),
    Question(
        name="BOUNCE_EMAIL",
        label="Adresse des retours",
        why="Où reviennent les lettres non livrées; retours+suffixe@… doit y arriver.",
        is_right=checks.is_address,
        wrong=_NO_ADDRESS,
        default=_beside("retours", "AUTHOR_EMAIL"),
    ),
    Question(
        name="BOUNCE_MAILBOX",
        label="Boîte des retours",
        why="imaps://utilisateur@serveur/INBOX ou maildir:/dossier; vide, rien n’est lu.",
        required=False,
    ),
    Question(
        name="BOUNCE_PASSWORD",
        label="Mot de passe de la boîte des retours",
        why="Celui de cet utilisateur IMAP.",
        is_asked=lambda known: known.get("BOUNCE_MAILBOX", "").startswith("imaps://"),
        secret=True,
    ),
    Question(
        name="LIST_DOMAIN",
        label="Domaine de la liste",
        why="Nomme la liste dans les lettres; celui de l’adresse d’envoi convient.",
        is_right=checks.is_domain,
        wrong=_NO_DOMAIN,
        default=_domain_of("AUTHOR_EMAIL"),
    ),
    Question(
        name="DKIM_SELECTORS",
        label="Sélecteurs DKIM",
        why="Les noms de clés donnés par le fournisseur du relais; vide si inconnus.",
        is_right=lambda value: all(checks.is_label(one) for one in value.split()),
        wrong="Il faut des noms comme s1 ou selector1, séparés par des espaces.",
        required=False,
    ),
    Question(
        name="DATABASE_URL",
        label="Base de données",
        why="La proposition convient, sauf si vous avez un serveur PostgreSQL.",
        default=lambda _known: settings.Store.model_fields["database_url"].default,
    ),
)
BY_NAME = {one.name: one for one in QUESTIONS}

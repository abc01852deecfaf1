"""The French of what each variable must be, for one that cannot be used."""

from __future__ import annotations

from base.french import NBSP

#: By variable; others get the general sentence alone.
EXPECTED: dict[str, str] = {
    "DATABASE_URL": "Elle doit commencer par sqlite:/// ou postgresql+psycopg://.",
    "PUBLIC_URL": "Elle doit commencer par https:// et nommer un serveur (http:// seulement pour "
    "127.0.0.1).",
    "LINK_KEYS": "Il faut au moins une clé de 32 caractères; plusieurs se séparent par un espace.",
    "SMTP_PORT": f"Il faut un nombre, par exemple{NBSP}: 587.",
    "SMTP_TLS": "Écrire starttls ou implicit; none est permis seulement pour 127.0.0.1.",
    "SMTP_CA_FILE": "Il faut un fichier qui existe, ou rien.",
    "SMTP_CONNECTIONS": "Il faut un nombre de 1 à 50.",
    "SMTP_LETTERS_A_SECOND": "Il faut un nombre, 0 ou plus.",
    "BOUNCE_EMAIL": "Il faut une adresse, au plus 30 caractères avant @, sans signe +.",
    "STAFF_EMAIL": "Il faut une seule adresse, ou rien.",
    "BOUNCE_MAILBOX": "Écrire maildir:/dossier ou imaps://utilisateur@serveur/INBOX.",
    "FEDERAL_NOTICES": "Écrire true ou false.",
}

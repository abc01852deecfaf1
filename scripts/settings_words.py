"""The French of what each variable must be, for one that cannot be used."""

from __future__ import annotations

from base.french import NBSP

#: By variable; others get the general sentence alone.
EXPECTED: dict[str, str] = {
    "PUBLIC_URL": "Elle doit commencer par https:// (http:// seulement pour 127.0.0.1).",
    "LINK_KEYS": "Il faut au moins une clé de 32 caractères; plusieurs se séparent par un espace.",
    "SMTP_PORT": f"Il faut un nombre, par exemple{NBSP}: 587.",
    "SMTP_TLS": "Écrire starttls ou implicit; none est permis seulement pour 127.0.0.1.",
}

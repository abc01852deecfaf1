"""The French of why a copy of the database was not made or not put back."""

from __future__ import annotations

from base.errors import CopyRefused
from base.french import NBSP

_REFUSED = {
    "no copy": "Ce fichier n’est pas une copie faite par «\u00a0alertes sauvegarder\u00a0».",
    "other kind": (
        "Cette copie vient de l’autre sorte de base (SQLite ou PostgreSQL). "
        "Vérifier DATABASE_URL dans le fichier .env."
    ),
    "damaged": "Cette copie est abîmée. En prendre une autre.",
    "later": (
        "Cette copie vient d’une version plus récente du programme. Installer d’abord celle-là."
    ),
    "no tool": (
        "Le programme {detail} manque. Installer le paquet postgresql-client de la version du "
        "serveur, ou copier la base avec les outils de son hébergeur (docs/operations.md)."
    ),
    "tool failed": f"PostgreSQL a refusé. Détail technique{NBSP}: {{detail}}",
}
AT_WORK = (
    "Le service est en marche. L’arrêter d’abord (systemctl stop alertes alertes-pages), "
    "attendre trois minutes, puis recommencer. Rien n’a été changé."
)


def refused(error: CopyRefused) -> str:
    """Why, and what to do; nothing was changed."""
    return f"{_REFUSED[error.reason].format(detail=error.detail)} Rien n’a été changé."

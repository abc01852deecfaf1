"""`alertes rapport …`: what staff show and keep, most as one page that prints."""

from __future__ import annotations

HELP = "Les chiffres du service, et les rapports à imprimer ou à remettre."

#: As `scripts.__main__.COMMANDS`: only the report that is asked for is loaded.
COMMANDS = {
    "semaine": "reports_week",
    "preuve": "reports_proof",
    "delais": "reports_delays",
    "secteurs": "reports_sectors",
    "sans-avis": "reports_silent",
    "sources": "reports_sources",
    "municipalite": "reports_town",
}

"""`alertes rapport …`: what staff show and keep, most as one page that prints."""

from __future__ import annotations

import typer

from scripts import (
    reports_delays,
    reports_proof,
    reports_sectors,
    reports_silent,
    reports_sources,
    reports_town,
    reports_week,
)

app = typer.Typer(
    help="Les chiffres du service, et les rapports à imprimer ou à remettre.", no_args_is_help=True
)
for name, module in (
    ("semaine", reports_week),
    ("preuve", reports_proof),
    ("delais", reports_delays),
    ("secteurs", reports_sectors),
    ("sans-avis", reports_silent),
    ("sources", reports_sources),
    ("municipalite", reports_town),
):
    app.command(name, help=module.HELP)(module.command)

"""`alertes rapport …`: what staff show and keep, each one page that prints."""

from __future__ import annotations

import typer

app = typer.Typer(help="Les rapports, chacun en une page à imprimer.", no_args_is_help=True)

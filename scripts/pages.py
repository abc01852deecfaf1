"""`alertes pages`: serves the web pages behind the letters' links."""

from __future__ import annotations

import socket

import typer
import uvicorn

from base.french import NBSP
from base.settings import Identity, Keys
from scripts.console import err, opened

app = typer.Typer(help="Pages web derrière les liens des lettres.")


@app.callback(invoke_without_command=True)
def serve(
    hote: str = typer.Option("127.0.0.1", "--hote", help="Adresse où écouter."),
    port: int = typer.Option(8080, "--port", min=1, max=65535, help="Port où écouter."),
) -> None:
    """Servir les pages web derrière les liens des lettres (Ctrl+C pour arrêter)."""
    # Asked here, so that what lacks is said in French before the server starts.
    Identity.read()
    Keys.read()
    with opened():
        pass
    _check_free(hote, port)
    err.print(f"Pages servies à http://{hote}:{port}/")
    # No access log: a link is a key. By name: scripts and pages do not import each other.
    uvicorn.run(
        "pages.__main__:application",
        factory=True,
        host=hote,
        port=port,
        access_log=False,
        server_header=False,
    )


def _check_free(host: str, port: int) -> None:
    """The web server would say it in English, after saying that it serves."""
    try:
        with socket.create_server((host, port)):
            return
    except OSError:
        err.print(
            f"Impossible d’écouter à {host}, port {port}{NBSP}: l’adresse n’est pas de cette "
            "machine, ou un autre programme s’en sert. Choisir avec --hote et --port.",
        )
        raise typer.Exit(1) from None

"""`alertes verifier`: is everything as it must be, and what to do about what is not."""

from __future__ import annotations

import ipaddress
import socket
from collections import Counter
from collections.abc import Iterable
from typing import Annotated

import typer

from alerts.doctor.asking import Dns, resolver
from alerts.doctor.examination import Patient, examine
from alerts.doctor.findings import Finding, State
from base.clock import utc_now
from base.errors import BaseFault
from base.fault_words import expected
from base.french import NBSP, count
from base.settings import Sources
from scripts.console import out, print_block, print_json
from scripts.doctor_words import CHECKS, STATES, sentence
from sources import catalogue
from sources.catalogue import Source

HELP = (
    "Vérifier les réglages, la base, les clés, l’horloge, le relais, le DNS, les pages, les "
    "sources; dire quoi corriger. Rien n’est envoyé ni changé."
)
#: Columns that a state takes.
_INDENT = 13


def command(
    server: Annotated[
        str,
        typer.Option("--dns", metavar="SERVEUR", help="Demander à ce serveur DNS (adresse:port)."),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Un objet JSON.")] = False,
) -> None:
    asked = resolver(_server(server))
    at = utc_now()
    patient = Patient(
        at=at, dns=Dns(asked) if asked else None, helo=_own_name(), sources=_sources()
    )
    found = []
    for finding in examine(patient):
        found.append(finding)
        if not as_json:
            _print(finding)
    tally = Counter(one.state for one in found)
    if as_json:
        print_json({"at": at.isoformat(), "fine": not tally[State.MEND], "checks": _in_json(found)})
    else:
        _print_tally(tally)
    if tally[State.MEND]:
        raise typer.Exit(1)


def _server(value: str) -> str:
    """The address of a DNS server, with or without its port; "" for the machine's own."""
    address, _, port = value.partition(":") if value.count(":") == 1 else (value, "", "")
    try:
        known = not value or bool(ipaddress.ip_address(address))
    except ValueError:
        known = False
    if not known or (port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536)):
        message = f"«{NBSP}{value}{NBSP}» n’est pas une adresse comme 9.9.9.9 ou 127.0.0.1:5353."
        raise typer.BadParameter(message, param_hint="--dns")
    return value


def _own_name() -> str:
    """This machine's whole name, asked of the network only where it does not know it itself."""
    name = socket.gethostname()
    return name if "." in name else socket.getfqdn()


def _sources() -> tuple[Source, ...]:
    """Those that are read; none where their settings are wrong, which is told by itself."""
    try:
        settings = Sources.read()
    except BaseFault:
        return ()
    chosen = {"seao": settings.seao_package_url, "seao_search": settings.seao_search_url}
    off = () if settings.federal_notices else ("canadabuys",)
    return catalogue.configured(chosen, off=off)


def _words(finding: Finding) -> str:
    if finding.cause == "invalid":
        finding.detail["expected"] = expected(str(finding.detail["name"]))
    return sentence(finding)


def _print(finding: Finding) -> None:
    """The state and the check on a line, what was found below it."""
    out.print(f"{STATES[finding.state]:<{_INDENT}}{CHECKS[finding.check]}")
    print_block(_words(finding), _INDENT)


def _print_tally(tally: Counter[State]) -> None:
    mend, unknown = tally[State.MEND], tally[State.UNKNOWN]
    out.print(
        f"\n{count(tally[State.FINE], 'point va bien', 'points vont bien')}, "
        f"{count(mend, 'est à corriger', 'sont à corriger')}, "
        f"{count(unknown, 'n’a pas pu être vérifié', 'n’ont pas pu être vérifiés')}."
    )
    if mend:
        out.print(f"Corriger, puis recommencer{NBSP}: alertes verifier")


def _in_json(found: Iterable[Finding]) -> list[dict[str, object]]:
    return [
        {
            "check": one.check.value,
            "state": one.state.value,
            "cause": one.cause,
            "sentence": _words(one),
            "detail": one.detail,
        }
        for one in found
    ]

"""`alertes incidents …`: the register of confidentiality incidents (Loi 25)."""

from __future__ import annotations

import csv
import io
from dataclasses import fields, replace
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.orm import Session

from base import incidents
from base.clock import quebec_day, utc_now
from base.french import NBSP, count, day
from base.incidents import Facts, Incident, facts_of
from scripts import incident_recipients
from scripts.console import err, opened, out, print_json, staff, stop
from scripts.documents import write_private
from scripts.incidents_words import LABELS, plausible, read_day, text, told, yes
from scripts.persons_words import moment as said
from scripts.sector_returns import safe

app = typer.Typer(help="Le registre des incidents de confidentialité.", no_args_is_help=True)
app.add_typer(incident_recipients.app)

AsJson = Annotated[bool, typer.Option("--json", help="Un objet JSON.")]
Number = Annotated[int, typer.Argument(metavar="N", help="Le numéro au registre.")]


def _option(name: str, help_: str = "") -> Any:  # noqa: ANN401, what Typer gives
    return typer.Option(LABELS[name][1], help=help_ or f"{LABELS[name][0]}.")


@app.command("ajouter", help="Inscrire un incident; ce qui n’est pas connu se complète ensuite.")
def add(
    *,
    concerned: Annotated[str, _option("concerned")],
    circumstances: Annotated[str, _option("circumstances")],
    happened: Annotated[str, _option("happened", "Date ou période, même approximative.")],
    known_on: Annotated[str | None, _option("known_on", "AAAA-MM-JJ; aujourd’hui.")] = None,
    persons: Annotated[int | None, typer.Option("--personnes", min=0)] = None,
    assessment: Annotated[str, _option("assessment")] = "",
    serious: Annotated[str | None, _option("serious", "oui ou non.")] = None,
    commission_on: Annotated[str | None, _option("commission_on", "AAAA-MM-JJ.")] = None,
    persons_on: Annotated[str | None, _option("persons_on", "AAAA-MM-JJ.")] = None,
    public_notice: Annotated[str, _option("public_notice")] = "",
    measures: Annotated[str, _option("measures")] = "",
) -> None:
    at = utc_now()
    facts = Facts(
        concerned=text(concerned, "concerned"),
        circumstances=text(circumstances, "circumstances"),
        happened=text(happened, "happened"),
        known_on=read_day(known_on, "known_on") or quebec_day(at),
        persons=persons,
        assessment=assessment,
        serious=yes(serious),
        commission_on=read_day(commission_on, "commission_on"),
        persons_on=read_day(persons_on, "persons_on"),
        public_notice=public_notice,
        measures=measures,
    )
    plausible(facts)
    with opened() as store, store.write() as session:
        incident = incidents.add(session, facts, at=at, by=staff())
    out.print(f"Incident {incident.id}{NBSP}: inscrit au registre.")
    _say_owed(incident)


@app.command("modifier", help="Compléter ou corriger un incident; ce qui était écrit est gardé.")
def modify(
    number: Number,
    *,
    concerned: Annotated[str | None, _option("concerned")] = None,
    circumstances: Annotated[str | None, _option("circumstances")] = None,
    happened: Annotated[str | None, _option("happened")] = None,
    known_on: Annotated[str | None, _option("known_on", "AAAA-MM-JJ.")] = None,
    persons: Annotated[int | None, typer.Option("--personnes", min=0)] = None,
    assessment: Annotated[str | None, _option("assessment")] = None,
    serious: Annotated[str | None, _option("serious", "oui ou non.")] = None,
    commission_on: Annotated[str | None, _option("commission_on", "AAAA-MM-JJ.")] = None,
    persons_on: Annotated[str | None, _option("persons_on", "AAAA-MM-JJ.")] = None,
    public_notice: Annotated[str | None, _option("public_notice")] = None,
    measures: Annotated[str | None, _option("measures")] = None,
) -> None:
    said_now: dict[str, Any] = {
        "concerned": concerned,
        "circumstances": circumstances,
        "happened": happened,
        "known_on": read_day(known_on, "known_on"),
        "persons": persons,
        "assessment": assessment,
        "serious": yes(serious),
        "commission_on": read_day(commission_on, "commission_on"),
        "persons_on": read_day(persons_on, "persons_on"),
        "public_notice": public_notice,
        "measures": measures,
    }
    changed = {name: value for name, value in said_now.items() if value is not None}
    if not changed:
        raise typer.BadParameter("Indiquer ce qui change (voir --help).")
    with opened() as store, store.write() as session:
        incident = _find(session, number)
        facts = replace(facts_of(incident), **changed)
        plausible(facts)
        done = incidents.correct(session, incident, facts, at=utc_now(), by=staff())
    what = "corrigé; ce qui était écrit est gardé" if done else "rien n’a changé"
    out.print(f"Incident {number}{NBSP}: {what}.")
    _say_owed(incident)


@app.command("lister", help="Le registre, du plus ancien au plus récent.")
def show_all(as_json: AsJson = False) -> None:
    with opened() as store, store.read() as session:
        found = incidents.register(session)
    if as_json:
        print_json({"incidents": [_row(one) for one in found]})
        return
    if not found:
        out.print("Aucun incident au registre.")
    for one in found:
        owed = incidents.owed(one)
        rest = f"; à compléter{NBSP}: {', '.join(LABELS[name][0] for name in owed)}" if owed else ""
        out.print(f"{one.id}  {day(one.known_on)}{NBSP}: {one.circumstances}{rest}", soft_wrap=True)


@app.command("voir", help="Un incident, avec tous les champs du règlement.")
def show(number: Number, as_json: AsJson = False) -> None:
    with opened() as store, store.read() as session:
        incident = _find(session, number)
    if as_json:
        print_json(_row(incident))
        return
    for label, value in told(incident):
        out.print(f"{label}{NBSP}: {value}", soft_wrap=True)


@app.command("exporter", help="Le registre entier en CSV, pour la Commission d’accès.")
def export(
    path: Annotated[Path, typer.Argument(metavar="FICHIER", help="Fichier CSV à créer.")],
) -> None:
    with opened() as store, store.read() as session:
        found = incidents.register(session)
    made = io.StringIO(newline="")
    writer = csv.writer(made)
    writer.writerow(["No", *(label for label, _ in LABELS.values()), "Inscrit par", "Inscrit le"])
    for one in found:
        cells = [str(one.id), *(value for _, value in told(one))]
        writer.writerow([safe(cell) for cell in [*cells, one.recorded_by, said(one.recorded_at)]])
    write_private(path, made.getvalue().encode("utf-8-sig"))
    err.print(f"{count(len(found), 'incident écrit', 'incidents écrits')} dans {path}.")


def _find(session: Session, number: int) -> Incident:
    return session.get(Incident, number) or stop(
        f"Aucun incident {number} au registre. Voir{NBSP}: alertes incidents lister"
    )


def _row(incident: Incident) -> dict[str, Any]:
    facts = facts_of(incident)
    values = {one.name: getattr(facts, one.name) for one in fields(facts)}
    own = {"id": incident.id, "recorded_at": incident.recorded_at}
    return own | {"recorded_by": incident.recorded_by} | values


def _say_owed(incident: Incident) -> None:
    owed = incidents.owed(incident)
    if owed:
        listed = ", ".join(f"{LABELS[name][0]} ({LABELS[name][1]})" for name in owed)
        out.print(f"À compléter{NBSP}: {listed}", soft_wrap=True)
    if incident.serious and incident.commission_on is None:
        out.print(
            "Le risque est sérieux\u00a0: aviser sans tarder la Commission d’accès à l’information "
            "et les personnes touchées (alertes incidents destinataires).",
            soft_wrap=True,
        )

"""`alertes secteurs …`: check a changed catalogue, and measure the classification."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from alerts import evaluation, vetting
from alerts.classification import Lexicon
from alerts.effect import Compared, compare
from alerts.evaluation import Evaluation, LabelledInvalid, Tally
from base.clock import utc_now
from base.errors import DatabaseAbsent, SettingMissing
from base.french import NBSP, count
from scripts import sector_returns
from scripts import sectors_words as words
from scripts.console import err, opened, out, print_json, stop
from subscriptions import sectors
from subscriptions.sectors import Catalogue

app = typer.Typer(help="Le catalogue des secteurs et la qualité du tri.", no_args_is_help=True)
app.command("retours", help=sector_returns.HELP)(sector_returns.returns)

#: How far back the effect of a changed catalogue is shown.
YEAR = timedelta(days=365)
#: How many tenders are shown for each sector that gains or loses some.
SHOWN = 10

_JSON = Annotated[bool, typer.Option("--json", help="Un objet JSON.")]


@app.command(
    "verifier",
    help="Vérifier un catalogue de secteurs modifié, et montrer ce qu’il changerait au tri des "
    "appels d’offres de la dernière année. Rien n’est changé.",
)
def check(
    path: Annotated[
        Path | None,
        typer.Argument(metavar="FICHIER", help="Sans fichier, le catalogue en usage."),
    ] = None,
    as_json: _JSON = False,
) -> None:
    path = path or sectors.DEFAULT
    faults = vetting.faults(_document(path))
    compared = [] if faults else _compared(sectors.load(path))
    if as_json:
        print_json(_checked(faults, compared))
    for fault in faults:
        err.print(words.fault(path.name, fault), soft_wrap=True)
    if faults:
        number = count(len(faults), "erreur", "erreurs")
        err.print(f"{number}{NBSP}: le catalogue ne peut pas être utilisé.")
        raise typer.Exit(code=1)
    if not as_json:
        _print_effect(sectors.load(path), compared)


def _compared(catalogue: Catalogue) -> list[Compared] | None:
    """None where there is no database to compare on."""
    before, after = Lexicon.of(sectors.load()), Lexicon.of(catalogue)
    try:
        with opened() as store, store.read() as session:
            return list(compare(session, before, after, since=utc_now() - YEAR))
    except (SettingMissing, DatabaseAbsent):
        return None


def _checked(faults: list[vetting.Fault], compared: list[Compared] | None) -> dict[str, Any]:
    effects = [one.effect for one in compared or [] if one.effect]
    return {
        "faults": [asdict(fault) for fault in faults],
        "tenders": None if compared is None else len(compared),
        "effects": [asdict(effect) for effect in effects],
    }


def _print_effect(catalogue: Catalogue, compared: list[Compared] | None) -> None:
    out.print(f"Catalogue valide{NBSP}: {count(len(catalogue.sectors), 'secteur', 'secteurs')}.")
    if compared is None:
        err.print(
            "Effet non calculé, faute de base de données. Vérifier DATABASE_URL, ou lire des avis "
            f"avec{NBSP}: alertes sources lire",
            soft_wrap=True,
        )
        return
    read = count(len(compared), "appel d’offres", "appels d’offres")
    moved = sum(one.effect is not None for one in compared)
    changed = count(moved, "est trié autrement", "sont triés autrement")
    out.print(f"Sur {read} de la dernière année, {changed}.", soft_wrap=True)
    for line in _moves(compared):
        out.print(line, soft_wrap=True)


def _moves(compared: list[Compared]) -> Iterator[str]:
    """Sector by sector, how many tenders come and go, and the first of them."""
    moves: dict[str, list[str]] = {}
    tally: Counter[tuple[str, str]] = Counter()
    for effect in (one.effect for one in compared):
        for sign, slugs in (("+", effect.gained), ("−", effect.lost)) if effect else ():
            for slug in slugs:
                tally[slug, sign] += 1
                if effect and tally[slug, sign] <= SHOWN:
                    moves.setdefault(slug, []).append(f"  {sign} {effect.number} {effect.title}")
    for slug, lines in sorted(moves.items()):
        yield f"{slug}{NBSP}: + {tally[slug, '+']}, − {tally[slug, '−']}"
        yield from lines


@app.command(
    "evaluer",
    help="Mesurer le tri sur un fichier CSV de titres jugés par une personne (colonnes title, "
    "buyer, unspsc_or_category, expected_sectors). Ni réglages ni base de données.",
)
def evaluate(
    path: Annotated[Path, typer.Argument(metavar="FICHIER.csv")], as_json: _JSON = False
) -> None:
    lexicon = Lexicon.of(sectors.load())
    try:
        rows = evaluation.read(_document(path), lexicon)
    except LabelledInvalid as error:
        stop(words.labelled(path.name, error))
    found = evaluation.evaluate(rows, lexicon)
    if as_json:
        print_json(_evaluated(found))
    else:
        _print_evaluation(found)


def _document(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        stop(f"{path} n’existe pas. Vérifier le nom du fichier.")
    except OSError:
        stop(f"{path} ne peut pas être lu. Vérifier que c’est un fichier, et vos droits.")


def _evaluated(found: Evaluation) -> dict[str, Any]:
    return {
        "rows": found.rows,
        "micro": _figures(found.micro),
        "none_rows": found.none_rows,
        "none_alerted": found.none_alerted,
        "sectors": {
            slug: {**_figures(tally), **asdict(tally)} for slug, tally in found.sectors.items()
        },
        "errors": [
            {
                "line": error.row.line,
                "title": error.row.facts.title,
                "codes": list(error.row.facts.codes),
                "expected": sorted(error.row.expected),
                "missed": list(error.missed),
                "wrong": [
                    {
                        "sector": told.sector,
                        "score": told.score,
                        "evidence": [
                            {"where": str(one.where), "text": one.text} for one in told.evidence
                        ],
                    }
                    for told in error.wrong
                ],
            }
            for error in found.errors
        ],
    }


def _figures(tally: Tally) -> dict[str, float]:
    return {
        "precision": round(tally.precision, 4),
        "recall": round(tally.recall, 4),
        "f1": round(tally.f1, 4),
    }


def _print_evaluation(found: Evaluation) -> None:
    micro = found.micro
    out.print(count(found.rows, "titre", "titres"))
    out.print(
        f"Précision {_decimal(micro.precision)}, rappel {_decimal(micro.recall)}, "
        f"F1 {_decimal(micro.f1)}"
    )
    alerted = f"{found.none_alerted} de {found.none_rows}"
    out.print(f"Titres d’aucun secteur qui seraient annoncés{NBSP}: {alerted}")
    table = Table("Secteur", "Précision", "Rappel", "F1", "Justes", "De trop", "Manqués")
    for slug, tally in found.sectors.items():
        figures = (_decimal(one) for one in (tally.precision, tally.recall, tally.f1))
        table.add_row(slug, *figures, str(tally.right), str(tally.wrong), str(tally.missed))
    out.print(table)
    for error in found.errors:
        for line in _error(error):
            out.print(line, soft_wrap=True)


def _error(error: evaluation.Error) -> Iterator[str]:
    yield f"ligne {error.row.line}{NBSP}: {error.row.facts.title}"
    for told in error.wrong:
        why = "; ".join(map(words.evidence, told.evidence))
        yield f"  de trop{NBSP}: {told.sector} ({_decimal(told.score)}; {why})"
    if error.missed:
        yield f"  manque{NBSP}: {', '.join(error.missed)}"


def _decimal(number: float) -> str:
    return f"{number:.3f}".replace(".", ",")

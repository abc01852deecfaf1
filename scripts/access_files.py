"""The answer to an access request as files: JSON, CSV, readable French, and the letters."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from alerts.access import Holding, Holdings, plain
from base.inventory import kept_in
from scripts.console import stop
from scripts.documents import document, write_private
from scripts.persons_words import told
from scripts.sector_returns import safe


def write(folder: Path, found: Holdings, *, contact: int, at: datetime) -> list[Path]:
    """Write the files into a new folder that only its owner may read; their paths.

    A folder that exists with something in it ends the command: nothing is overwritten.
    """
    if folder.exists() and any(folder.iterdir()):
        stop(f"Le dossier {folder} n’est pas vide. Rien n’est écrasé; choisir un autre nom.")
    files = {
        "renseignements.json": as_json(found, contact=contact, at=at),
        "renseignements.html": readable(found, contact=contact, at=at).encode(),
    }
    files |= {f"csv/{one.table}.csv": _csv(one) for one in found.tables}
    files |= {f"lettres/lettre-{one.letter_id}.eml": one.content for one in found.letters}
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(path, content)
    return [folder / name for name in files]


def as_json(found: Holdings, *, contact: int, at: datetime) -> bytes:
    """Every table, with what it is for; a letter's content is named by its file."""
    answer = {
        "contact": contact,
        "fait_le": plain(at),
        "tables": {
            one.table: {
                "titre": kept_in(one.table).title,
                "but": kept_in(one.table).purpose,
                "duree": kept_in(one.table).retention,
                "lignes": [_plain(one.table, row) for row in one.rows],
            }
            for one in found.tables
        },
        "avis": {str(number): title for number, title in sorted(found.notices.items())},
    }
    return json.dumps(answer, ensure_ascii=False, indent=2).encode()


def readable(found: Holdings, *, contact: int, at: datetime) -> str:
    """The same in French, table by table."""
    return document(
        "access.html", contact=contact, at=at, tables=[_told(one, found) for one in found.tables]
    )


def _told(holding: Holding, found: Holdings) -> dict[str, Any]:
    kept = kept_in(holding.table)
    return {
        "title": kept.title,
        "purpose": kept.purpose,
        "retention": kept.retention,
        "rows": [
            {
                "told": [
                    (label, told(name, row[name], _names(name, found)))
                    for name, label in kept.personal.items()
                ],
                "technical": "; ".join(
                    f"{name} = {plain(row[name])}" for name in kept.technical if name in row
                ),
            }
            for row in holding.rows
        ],
    }


def _names(column: str, found: Holdings) -> Mapping[int, str]:
    return found.clusters if column == "cluster_id" else found.notices


def _plain(table: str, row: Mapping[str, Any]) -> dict[str, Any]:
    values = {name: plain(value) for name, value in row.items()}
    if table == "message":
        values["content"] = f"lettres/lettre-{row['id']}.eml"
    return values


def _csv(holding: Holding) -> bytes:
    """UTF-8 with a mark, so that Excel reads the accents; nothing that it would compute."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(holding.columns)
    for row in holding.rows:
        values = _plain(holding.table, row)
        writer.writerow([_cell(values[name]) for name in holding.columns])
    return text.getvalue().encode("utf-8-sig")


def _cell(value: Any) -> str:  # noqa: ANN401, any JSON value
    if value is None:
        return ""
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return safe(str(value))

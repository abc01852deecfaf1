"""Rows of CanadaBuys for tests: the real excerpt, and honest edits of one of its rows."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from sources import canadabuys
from sources.release import Fault, PassedOver, Release

SAMPLE = (
    Path(__file__).resolve().parents[1]
    / "samples"
    / "canadabuys"
    / "newTenderNotice_20241210_extrait.csv"
)
RAW = SAMPLE.read_bytes()
ROWS = list(csv.DictReader(io.StringIO(RAW.decode(), newline="")))
HEADER = list(ROWS[0])

DELIVERY = "regionsOfDelivery-regionsLivraison"
OPPORTUNITY = "regionsOfOpportunity-regionAppelOffres"
CLOSING = "tenderClosingDate-appelOffresDateCloture"
PROVINCE = "contractingEntityAddressProvince-entiteContractanteAdresseProvince"
CODE = "contractingEntityAddressPostalCode-entiteContractanteAdresseCodePostal"
#: «Service de buanderie des sarraus…», Agence spatiale canadienne, Longueuil.
LAUNDRY = next(row for row in ROWS if row["referenceNumber-numeroReference"] == "cb-633-48091580")


def both(column: str, value: str) -> dict[str, str]:
    return {f"{column}-eng": value, f"{column}-fra": value}


def table(*changes: dict[str, str], header: list[str] = HEADER) -> bytes:
    """The laundry's row once for each set of changes, as CSV."""
    written = io.StringIO(newline="")
    writer = csv.DictWriter(written, header, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writeheader()
    writer.writerows({**LAUNDRY, **change} for change in changes)
    return written.getvalue().encode()


def read_one(**changes: str) -> Release | Fault | PassedOver:
    (result,) = canadabuys.read(table(changes))
    return result


def read_release(**changes: str) -> Release:
    result = read_one(**changes)
    assert isinstance(result, Release), result
    return result

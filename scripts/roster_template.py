"""The empty roster that staff fill in: drop-down lists, and a sheet that explains each column."""

from __future__ import annotations

from collections.abc import Sequence

from openpyxl import Workbook
from openpyxl.styles import Alignment
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from base.workbook import DAY_FORMAT, head, put, saved
from scripts.members_words import BASES, COLUMNS, FREQUENCIES
from subscriptions.roster_words import REQUIRED, Column
from subscriptions.sectors import Catalogue

#: Lines that have the lists; more may be typed or copied below.
LINES = 5000
#: Columns in which a sector is chosen.
SECTORS = 5

STATUSES = ("Actif", "Suspendu", "En retard", "Démissionnaire", "Exclu", "Radié", "En attente")
_DAYS = (Column.STARTS, Column.ENDS, Column.CONSENTED)
_WIDTHS = {Column.ENTERPRISE: 34, Column.ADDRESS: 32, Column.SECTORS: 36, Column.EVIDENCE: 28}
#: What to write in each column.
EXPLAINED: dict[Column, str] = {
    Column.ENTERPRISE: "Le nom de l’entreprise, écrit partout de la même façon.",
    Column.TELEPHONE: "Le numéro où la joindre si ses courriels nous reviennent.",
    Column.STATUS: (
        "Choisir dans la liste. Seul « Actif » donne droit aux lettres. Le même sur toutes les "
        "lignes d’une entreprise."
    ),
    Column.STARTS: "Premier jour de l’adhésion : une date, ou AAAA-MM-JJ comme 2026-09-21.",
    Column.ENDS: "Dernier jour de l’adhésion, inclus. Vide : sans fin prévue.",
    Column.CONTACT: "Le nom de la personne qui lira les lettres.",
    Column.ADDRESS: (
        "Son adresse courriel. Une ligne par contact : pour plusieurs contacts, répéter "
        "l’entreprise. Une adresse ne peut être qu’à une seule entreprise."
    ),
    Column.SECTORS: (
        "Un secteur par colonne, choisi dans la liste; au moins un. Au-delà de cinq, en écrire "
        "plusieurs dans une cellule, séparés par |."
    ),
    Column.FREQUENCY: "Choisir dans la liste. Vide : hebdomadaire.",
    Column.TERRITORY: "MRC ou municipalités, séparées par |. Vide : partout.",
    Column.BASIS: (
        "Pourquoi nous pouvons lui écrire (loi canadienne anti-pourriel). Choisir dans la liste. "
        "Vide : rien ne lui sera envoyé."
    ),
    Column.EVIDENCE: "Où est la preuve : numéro du formulaire, procès-verbal, facture.",
    Column.CONSENTED: "Le jour du consentement. Vide : le jour de l’importation.",
}
_USE = (
    "Remplir la feuille « Membres », une ligne par contact, puis enregistrer.",
    "Voir ce qui changerait, sans rien changer : alertes membres importer FICHIER",
    "Ce qui n’est pas dans le fichier n’est pas touché. Qui s’est désabonné le reste.",
)


def document(catalogue: Catalogue) -> bytes:
    """The bytes of the .xlsx file; it can be imported once it is filled in."""
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    page = workbook.create_sheet("Membres")
    guide = workbook.create_sheet("Mode d’emploi")
    lists = workbook.create_sheet("Listes")
    lists.sheet_state = "hidden"
    ranges = _lists(lists, catalogue)
    place = 1
    for column in COLUMNS:
        for heading in _headings(Column(column)):
            head(page.cell(1, place), heading)
            _column(page, place, Column(column), ranges)
            place += 1
    page.freeze_panes = "B2"
    _guide(guide)
    return saved(workbook)


def _headings(column: Column) -> Sequence[str]:
    if column is Column.SECTORS:
        return [f"Secteur {number}" for number in range(1, SECTORS + 1)]
    return [COLUMNS[column]]


def _lists(page: Worksheet, catalogue: Catalogue) -> dict[Column, str]:
    """Write what may be chosen; where each list is."""
    choices: dict[Column, Sequence[str]] = {
        Column.STATUS: STATUSES,
        Column.SECTORS: [sector.label for sector in catalogue],
        Column.FREQUENCY: list(FREQUENCIES.values()),
        Column.BASIS: list(BASES.values()),
    }
    ranges = {}
    for place, (column, values) in enumerate(choices.items(), start=1):
        for line, value in enumerate(values, start=1):
            put(page.cell(line, place), value)
        letter = get_column_letter(place)
        ranges[column] = f"{quote_sheetname(page.title)}!${letter}$1:${letter}${len(values)}"
    return ranges


def _column(page: Worksheet, place: int, column: Column, ranges: dict[Column, str]) -> None:
    letter = get_column_letter(place)
    page.column_dimensions[letter].width = _WIDTHS.get(column, 18)
    if column in _DAYS:
        for line in range(2, LINES + 2):
            page.cell(line, place).number_format = DAY_FORMAT
    rule = _rule(column, ranges)
    rule.add(f"{letter}2:{letter}{LINES + 1}")
    page.add_data_validation(rule)


def _rule(column: Column, ranges: dict[Column, str]) -> DataValidation:
    """What a cell may hold, said beside it; several sectors in one cell stay possible."""
    rule = DataValidation(allow_blank=True, showInputMessage=True)
    rule.promptTitle, rule.prompt = COLUMNS[column], EXPLAINED[column][:255]
    if column in ranges:
        rule.type, rule.formula1 = "list", f"={ranges[column]}"
        rule.showErrorMessage = column is not Column.SECTORS
        rule.error = "Choisir dans la liste."
    elif column in _DAYS:
        rule.type, rule.operator, rule.formula1 = "date", "greaterThan", "1"
        rule.showErrorMessage = True
        rule.error = "Écrire une date, comme 2026-09-21."
    return rule


def _guide(page: Worksheet) -> None:
    for place, heading in enumerate(("Colonne", "Obligatoire", "Quoi y écrire"), start=1):
        head(page.cell(1, place), heading)
    line = 2
    for column, heading in COLUMNS.items():
        put(page.cell(line, 1), heading)
        put(page.cell(line, 2), "oui" if column in REQUIRED else "non")
        put(page.cell(line, 3), EXPLAINED[Column(column)])
        line += 1
    for sentence in _USE:
        line += 1
        put(page.cell(line, 3), sentence)
    page.column_dimensions["A"].width = 24
    page.column_dimensions["B"].width = 12
    page.column_dimensions["C"].width = 90
    for row in page.iter_rows(min_row=2):
        for cell in row:
            cell.alignment = Alignment(wrap_text=True, vertical="top")

"""The privacy page is the inventory, and the inventory is the schema."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from alerts.persons import tables
from base.inventory import Kept, inventory
from tests.webpages import IDENTITY

TABLES = {one.name: one for one in tables()}
KEPT = {one.table: one for one in inventory()}


def test_every_table_is_in_the_inventory() -> None:
    assert KEPT.keys() == TABLES.keys()


@pytest.mark.parametrize("table", sorted(TABLES))
def test_every_column_is_in_the_inventory_once(table: str) -> None:
    kept = KEPT.get(table)
    assert kept is not None, f"[{table}] lacks in templates/pages/inventory.toml"
    named = [*kept.personal, *kept.technical]
    assert sorted(named) == sorted(column.name for column in TABLES[table].columns)


@pytest.mark.parametrize("kept", inventory(), ids=lambda kept: kept.table)
def test_each_says_why_how_long_and_for_whom(kept: Kept) -> None:
    assert all(text.strip() for text in (kept.title, kept.purpose, kept.retention, kept.access))


def test_the_page_tells_all_that_is_personal_and_whom_to_ask(client: TestClient) -> None:
    page = client.get("/confidentialite").text
    for kept in inventory():
        assert (f"<h2>{kept.title}</h2>" in page) == bool(kept.personal)
    assert "votre adresse courriel" in page
    assert IDENTITY.privacy_officer in page
    assert "Commission d’accès à l’information" in page


@pytest.mark.parametrize("path", ["/", "/lien", "/confidentialite", "/p/x", "/d/x", "/u/x"])
def test_every_page_names_who_answers_for_personal_information(
    client: TestClient, path: str
) -> None:
    page = client.get(path).text
    for part in (IDENTITY.privacy_officer, IDENTITY.postal_address, IDENTITY.contact_email):
        assert part in page
    assert 'href="/confidentialite"' in page

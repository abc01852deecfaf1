"""A contact of an active member, and a reader of the pages over its database."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from base.database import Database
from subscriptions.tables import Contact
from tests.coop import entitled
from tests.webpages import FIRST, ROOT, pages


@pytest.fixture
def contact(database: Database) -> Contact:
    """A contact with a weekly subscription to one sector."""
    with database.write() as session:
        return entitled(session, "info", sectors=[FIRST])


@pytest.fixture
def app(database: Database, tmp_path: Path) -> Starlette:
    """The pages over the test's database."""
    return pages(database, tmp_path)


@pytest.fixture
def client(app: Starlette) -> TestClient:
    """A reader without cookies; a fault of ours is an answer 500, as it would be outside."""
    return TestClient(app, ROOT, raise_server_exceptions=False, follow_redirects=False)

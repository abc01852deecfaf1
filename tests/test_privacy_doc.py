"""docs/privacy.md says what the inventory says, and names whoever the service talks to."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from base.inventory import Kept, inventory
from base.settings import GROUPS
from scripts.__main__ import application
from scripts.usage import command_of
from sources.catalogue import load

DOC = (Path(__file__).parent.parent / "docs" / "privacy.md").read_text("utf-8")
#: Settings that say where something is kept, or with whom the service speaks.
OUTSIDE = re.compile(r".*_(host|url|mailbox|folder)|journal_file|source_contact")


@pytest.mark.parametrize("kept", inventory(), ids=lambda kept: kept.table)
def test_the_table_of_the_document_is_the_inventory(kept: Kept) -> None:
    line = f"| {kept.title} | {kept.purpose} | {kept.retention} | {kept.access} |"
    assert (line in DOC.splitlines()) == bool(kept.personal)


def test_every_host_that_is_read_is_named() -> None:
    hosts = {
        str(urlsplit(address.url).hostname) for one in load().values() for address in one.addresses
    }
    assert hosts
    assert {host for host in hosts if host not in DOC} == set()


def test_every_setting_that_names_a_place_outside_is_named() -> None:
    names = {name for group in GROUPS for name in group.model_fields if OUTSIDE.fullmatch(name)}
    assert {"smtp_host", "bounce_mailbox", "database_url", "public_url"} <= names
    assert {name for name in names if f"`{name.upper()}`" not in DOC} == set()


def test_every_command_that_it_names_exists() -> None:
    named = set(re.findall(r"`alertes (\S+)\s+([a-z-]+)", DOC))
    assert ("personne", "effacer") in named
    for group, name in named:
        command = command_of(application(group))
        assert name in command.commands[group].commands, name  # type: ignore[attr-defined]

"""Documents for a person or an authority: one HTML file each, readable and printable alone."""

from __future__ import annotations

import os
from datetime import datetime
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from base.database import ROOT
from base.errors import SettingInvalid, SettingMissing
from base.settings import Identity
from scripts.console import stop
from scripts.persons_words import moment


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(ROOT / "templates" / "privacy"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["moment"] = moment
    return environment


def document(name: str, *, contact: int, at: datetime, **context: object) -> str:
    """The document of that template of templates/privacy; who we are as far as it is set."""
    who = identity()
    return (
        _environment()
        .get_template(name)
        .render(
            contact=contact,
            at=at,
            tenant=who.tenant_name if who else "",
            officer=who.privacy_officer if who else "",
            **context,
        )
    )


def identity() -> Identity | None:
    """Who we are; None where it is not set yet: these documents do not wait for it."""
    try:
        return Identity.read()
    except (SettingMissing, SettingInvalid):
        return None


def write_private(path: Path, content: bytes) -> None:
    """A new file that only its owner may read; the command ends where there is one already."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
            file.write(content)
    except FileExistsError:
        stop(f"{path} existe déjà. Rien n’est écrasé; choisir un autre nom.")

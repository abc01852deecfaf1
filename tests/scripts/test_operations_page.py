"""docs/operations.md: each plain block is run in order, from an empty folder on."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from base.database import ROOT
from scripts.__main__ import COMMANDS
from tests.conftest import Said
from tests.mailthread import mail_thread

PAGE = (ROOT / "docs" / "operations.md").read_text("utf-8")
BLOCKS = re.findall(r"(?ms)^```(sh[^\n]*)\n(.*?)^```$", PAGE)
#: What the page asks to be filled in.
FILLED = {
    "TENANT_NAME": "Coop fictive",
    "POSTAL_ADDRESS": "1, rue Fictive",
    "CONTACT_EMAIL": "bonjour@exemple.quebec",
    "PRIVACY_OFFICER": "Responsable fictive",
    "PUBLIC_URL": "https://alertes.exemple.quebec",
    "LINK_KEYS": "une-cle-d-essai-assez-longue-pour-signer",
    "SMTP_HOST": "127.0.0.1",
    "SMTP_TLS": "none",
    "AUTHOR_EMAIL": "alertes@exemple.quebec",
    "BOUNCE_EMAIL": "retours@exemple.quebec",
    "LIST_DOMAIN": "exemple.quebec",
    "STAFF_EMAIL": "equipe@exemple.quebec",
}


def _lines(plain: bool) -> Iterator[str]:
    for kind, block in BLOCKS:
        if (kind == "sh") is plain:
            yield from block.splitlines()


def _settings(port: int) -> None:
    text = (ROOT / ".env.example").read_text("utf-8")
    for name, value in {**FILLED, "SMTP_PORT": str(port)}.items():
        text, found = re.subn(rf"(?m)^{name}=.*$", f"{name}={value}", text)
        assert found == 1
    Path(".env").write_text(text, "utf-8")


def test_every_command_of_the_page_does_what_the_page_says(
    alertes: Callable[..., Said],
) -> None:
    shutil.copy(ROOT / "samples" / "roster" / "membres_fictifs.csv", "membres.csv")
    with mail_thread() as mailbox:
        _settings(mailbox.port)
        said = {}
        for line in _lines(plain=True):
            program, *words = shlex.split(line)
            assert program == "alertes"
            said[line] = alertes(*(_path(word) for word in words))
    refused = {line: one.err for line, one in said.items() if one.code}
    assert refused == {}
    assert len(said) > 15


def _path(word: str) -> str:
    return str(max(Path("var/sauvegardes").glob("alertes-*"))) if word == "COPIE" else word


def test_every_command_that_the_page_names_exists() -> None:
    text = "\n".join(_lines(plain=False))
    named = set(re.findall(r"(?:^|exec service )alertes ([a-z-]+)", text, re.MULTILINE))
    named |= set(re.findall(r"`alertes ([a-z][a-z-]+)", PAGE))
    assert named <= set(COMMANDS)
    assert {"veiller", "sauvegarder", "restaurer", "cles"} <= set(COMMANDS)


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"`?((?:deploy|tests|docs)/[\w./-]*\w)", PAGE)))
)
def test_every_file_that_the_page_names_exists(path: str) -> None:
    assert (ROOT / path).exists()

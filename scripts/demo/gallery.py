"""The letters of a Maildir as they look: an index.html beside one page a letter."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from mailbox import Maildir
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from base.database import ROOT


@dataclass(frozen=True, slots=True)
class Shown:
    """A letter as a mailbox has it; its texts are hostile until escaped."""

    page: str
    subject: str
    recipient: str
    size: int
    text: str


def write(maildir: Path, folder: Path) -> int:
    """Write the gallery of all letters in `maildir` into `folder`; how many there are."""
    letters = sorted(_messages(maildir), key=lambda one: (str(one["To"]), str(one["Date"])))
    pages = folder / "lettres"
    pages.mkdir(parents=True, exist_ok=True)
    shown = [_page(letter, pages, number) for number, letter in enumerate(letters, start=1)]
    environment = Environment(
        loader=FileSystemLoader(ROOT / "templates" / "gallery"),
        autoescape=True,
        undefined=StrictUndefined,
    )
    index = environment.get_template("index.html").render(letters=shown)
    (folder / "index.html").write_text(index, encoding="utf-8")
    return len(shown)


def _messages(maildir: Path) -> Iterable[EmailMessage]:
    box = Maildir(maildir, create=True)
    for key in box.keys():  # noqa: SIM118, a Maildir is no dict
        yield message_from_bytes(box.get_bytes(key), EmailMessage, policy=default)


def _page(letter: EmailMessage, pages: Path, number: int) -> Shown:
    html, text = letter.get_body(("html",)), letter.get_body(("plain",))
    name = f"{number:02}.html"
    (pages / name).write_text(html.get_content() if html else "", encoding="utf-8")
    return Shown(
        page=f"lettres/{name}",
        subject=str(letter["Subject"]),
        recipient=str(letter["To"]),
        size=len(letter.as_bytes()),
        text=text.get_content() if text else "",
    )

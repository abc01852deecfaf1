"""Messages as a bounce mailbox receives them (tests/data/returns), about a letter of the test."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent / "data" / "returns"
#: What stands for a tag in the messages that Postfix made.
POSTFIX_TAG = b"1-aaaaaaaaaaaaaaaaaaaaaaaaaa"


def message(
    name: str,
    *,
    tag: str = "",
    message_id: str = "<inconnu@exemple.quebec>",
    leave: str = "https://alertes.exemple.quebec/d/inconnu",
) -> bytes:
    """A message by its name, «ecrits/gmail», naming that letter where it names one."""
    content = (FOLDER / f"{name}.eml").read_bytes()
    for place, value in ((b"{tag}", tag), (b"{message_id}", message_id), (b"{leave}", leave)):
        content = content.replace(place, value.encode())
    return content.replace(POSTFIX_TAG, tag.encode()) if tag else content


def names(folder: str) -> list[str]:
    """The messages of a folder."""
    return sorted(f"{folder}/{file.stem}" for file in (FOLDER / folder).glob("*.eml"))

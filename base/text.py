"""Texts from outside made safe and comparable: control characters, accents, white space."""

from __future__ import annotations

import re
import unicodedata

#: C0 and C1 controls, surrogates, zero-width and bidirectional marks, soft hyphen, BOM.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x91\x93-\x9f\u00ad\u200b-\u200f"
    "\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ud800-\udfff\ufff9-\ufffb]"
)
#: Words of Latin letters parted by single blanks: nothing to clean, and NFC already.
_LATIN = "!-~\u00a0-\u00ac\u00ae-\u0148\u014a-\u017f–—’«»…"
_CLEAN = re.compile(f"[{_LATIN}]+(?: [{_LATIN}]+)*")
_SPACE = re.compile(r"[ \t\r\n\u0085\u2028\u2029]+")
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "’": "'", "ʼ": "'", "‘": "'", "`": "'"})
_JOINING = " \u00a0-–—,;:·"
_APART = re.compile(r"[^0-9a-z']+")


def clean(value: str) -> str:
    """One line without unseen characters; a stray cp1252 apostrophe (\\x92) becomes ’.

    No-break spaces stay: they are typography. The result is NFC.
    """
    if _CLEAN.fullmatch(value):
        return value
    text = _UNSEEN.sub("", value.replace("\x92", "’"))
    return unicodedata.normalize("NFC", _SPACE.sub(" ", text)).strip(" ")


def shortened(value: str, most: int) -> str:
    """Its words up to so many characters and «…»; half a word only where most would go.

    What only joins the words to those that are gone, a dash or a comma, goes with them.
    """
    if len(value) <= most:
        return value
    words = value[:most].rpartition(" ")[0].rstrip(_JOINING)
    return f"{words if 2 * len(words) > most else value[: most - 1].rstrip()}…"


def fold(value: str) -> str:
    """Lower case without accents, ligatures opened, all but letters and digits made one blank.

    «Côte-des-Neiges (É.-U.)» is «cote des neiges e u»; «l’Œuvre» is «l'oeuvre».
    """
    if value.isascii():
        return _APART.sub(" ", value.lower().translate(_LIGATURES)).strip(" '")
    lowered = unicodedata.normalize("NFKD", value.casefold().translate(_LIGATURES))
    bare = "".join(c for c in lowered if not unicodedata.combining(c))
    return _APART.sub(" ", bare.translate(_LIGATURES)).strip(" '")

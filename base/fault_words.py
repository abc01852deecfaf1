"""What to mend in the settings or the database, for the commands and the service alike.

The sentences are in templates/console/faults.toml: `python -m alerts` may not reach the scripts.
"""

from __future__ import annotations

import tomllib
from functools import cache

from base.database import ROOT
from base.errors import (
    BaseFault,
    DatabaseAbsent,
    DatabaseOutdated,
    SettingInvalid,
    SettingMissing,
)
from base.settings import FILE

SENTENCES = ROOT / "templates" / "console" / "faults.toml"


@cache
def _words(section: str) -> dict[str, str]:
    found: dict[str, str] = tomllib.loads(SENTENCES.read_text("utf-8"))[section]
    return found


def expected(name: str) -> str:
    """What that variable must be."""
    return _words("expected").get(name, _words("expected")["other"])


def in_french(fault: BaseFault) -> str:
    """One sentence that says what is wrong, and one that says what to do."""
    faults = _words("faults")
    match fault:
        case SettingMissing(names=names):
            return faults["missing"].format(names=", ".join(names))
        case SettingInvalid(name=name) if name == str(FILE):
            return faults["file"]
        case SettingInvalid(name=name):
            return faults["invalid"].format(name=name, expected=expected(name))
        case DatabaseAbsent(where=where):
            return faults["absent"].format(where=where)
        case DatabaseOutdated(found=found, wanted=wanted):
            return faults["outdated"].format(found=found, wanted=wanted)
        case _:
            return str(fault)

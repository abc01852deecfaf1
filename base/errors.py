"""What can go wrong below everything else.

* BaseFault
  + SettingMissing      a person must fill in a variable
  + SettingInvalid      a person must correct a variable
  + DatabaseAbsent      there is no database yet, and this command may not make one
  + DatabaseOutdated    the database is of another version: run the named command
  + CopyRefused         a backup cannot be made or put back: nothing was changed
"""

from __future__ import annotations


class BaseFault(Exception):
    """Settings or the database are not as they must be: a person must look."""


class SettingMissing(BaseFault):
    """A variable that this command needs is not set."""

    def __init__(self, *names: str) -> None:
        self.names = names
        super().__init__(f"not set: {', '.join(names)}")


class SettingInvalid(BaseFault):
    """A variable has a value that cannot be used."""

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self.reason = reason
        super().__init__(f"{name}: {reason}")


class DatabaseAbsent(BaseFault):
    """The database does not exist and this command must not create it."""

    def __init__(self, where: str) -> None:
        self.where = where
        super().__init__(f"no database at {where}")


class DatabaseOutdated(BaseFault):
    """The database's schema is not the one this code was written for."""

    def __init__(self, found: str, wanted: str) -> None:
        self.found = found
        self.wanted = wanted
        super().__init__(f"database at revision {found}, code wants {wanted}")


class CopyRefused(BaseFault):
    """A copy of the database cannot be made, or cannot be put back."""

    def __init__(self, reason: str, detail: str = "") -> None:
        #: "no copy", "other kind", "damaged", "later", "no tool", "tool failed".
        self.reason = reason
        #: The revision, or the tool and its words; never a password.
        self.detail = detail
        super().__init__(f"{reason}: {detail}" if detail else reason)

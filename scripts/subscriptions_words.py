"""The French of what a contact asks for: how often, through whom, and how it ended."""

from __future__ import annotations

from subscriptions.tables import Frequency

FREQUENCIES = {"hebdomadaire": Frequency.WEEKLY.value, "quotidien": Frequency.DAILY.value}
NAMES = {value: name for name, value in FREQUENCIES.items()}
ORIGINS = {"roster": "liste des membres", "staff": "équipe", "member": "membre"}
ENDS = {"changed": "modifié", "unsubscribed": "désabonné", "removed": "retiré"}

"""How far long work is, told to whoever waits for it."""

from __future__ import annotations

from collections.abc import Callable

#: Called with how much is done and of how much; seldom enough to cost nothing.
Progress = Callable[[int, int], None]


def untold(done: int, of: int) -> None:
    """Nobody waits."""

"""Where a worker is killed: named points, put round the product's functions from outside.

The product knows nothing of this: attributes of its modules are replaced in a forked worker.
"""

from __future__ import annotations

import functools
import inspect
import mmap
import os
import signal
from collections.abc import Callable
from importlib import import_module
from typing import Any

#: How far a worker is, in the one byte that it shares with the campaign.
IDLE, WRITING, RECOVERING, SENDING = b"-", b"w", b"r", b"s"

Action = Callable[[], None]

#: Function to what is around it. Each has a point before and one after it.
FUNCTIONS = {
    "editions": ("alerts.editions", ("open_due", "write_batch", "_close")),
    "owed": ("alerts.owed", ("pending",)),
    "writing": ("alerts.writing", ("compose", "_drafted", "freeze_all", "omit")),
    "ledger": ("alerts.ledger", ("heard", "reserve", "confirm", "release", "doubt")),
    "recovery": ("alerts.recovery", ("_verdict",)),
    "outbox": ("alerts.outbox", ("claim", "withdraw", "take_back")),
    "doubts": ("alerts.doubts", ("in_doubt", "resolve")),
    "outcomes": ("alerts.outcomes", ("settle",)),
    "custody": (
        "alerts.custody",
        ("hold_still", "let_pass", "count_begun", "Custody.claim", "Custody.commit"),
    ),
    "dispatch": ("alerts.dispatch", ("_Run._offer", "_Run._may_finish", "_Run._record")),
    "connections": ("alerts.connections", ("Connections.take", "Connections.put")),
    "delivery": ("alerts.delivery", ("Relay.connect",)),
    "transaction": (
        "alerts.transaction",
        (
            "Connection.offer",
            "Connection.finish",
            "Connection.abandon",
            "Connection._reply",
            "Connection._send",
            "stuffed",
        ),
    ),
    "journal": ("alerts.journal", ("Journal.begun", "Journal.accepted")),
}
#: Points within a function, armed one by one.
WITHIN = ("transaction.half the body", "transaction.dot without reply")
NAMES = (
    *(
        f"{when} {module}.{name}"
        for module, (_, names) in FUNCTIONS.items()
        for name in names
        for when in ("before", "after")
    ),
    *WITHIN,
)
#: Function, the phase that begins with it, and the one that begins after it.
_PHASES = (
    ("alerts.editions", "write_open", WRITING, IDLE),
    ("alerts.service", "recover", RECOVERING, IDLE),
    ("alerts.dispatch", "_Run.hand_over", IDLE, IDLE),
    ("alerts.lots", "Lots.claim", SENDING, SENDING),
)


def die() -> None:
    """SIGKILL, here."""
    os.kill(os.getpid(), signal.SIGKILL)


def arm(name: str, nth: int) -> None:
    """Be killed the `nth` time that this point is reached."""
    left = [nth]

    def reached() -> None:
        left[0] -= 1
        if left[0] == 0:
            die()

    if name in WITHIN:
        _arm_within(name, reached)
        return
    when, _, path = name.partition(" ")
    module, _, attribute = path.partition(".")
    before, after = (reached, _nothing) if when == "before" else (_nothing, reached)
    wrap(FUNCTIONS[module][0], attribute, before=before, after=after)


def show_phase(board: mmap.mmap) -> None:
    """Keep the byte true from now on."""
    for module, attribute, begins, ends in _PHASES:
        wrap(
            module,
            attribute,
            before=functools.partial(_put, board, begins),
            after=functools.partial(_put, board, ends),
        )


def wrap(module: str, attribute: str, *, before: Action, after: Action) -> None:
    """Do something before and after a function or coroutine of the product."""
    holder, name = held(module, attribute)
    inner = getattr(holder, name)
    if inspect.iscoroutinefunction(inner):

        async def waited(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401, whatever it takes
            before()
            answer = await inner(*args, **kwargs)
            after()
            return answer

        setattr(holder, name, waited)
        return

    def called(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401, whatever it takes
        before()
        answer = inner(*args, **kwargs)
        after()
        return answer

    setattr(holder, name, called)


def held(module: str, attribute: str) -> tuple[Any, str]:
    """What holds a function of the product, and its name there; AttributeError where none does."""
    holder: Any = import_module(module)
    *owners, name = attribute.split(".")
    for owner in owners:
        holder = getattr(holder, owner)
    getattr(holder, name)
    return holder, name


def _arm_within(name: str, reached: Action) -> None:
    """Between two writes to the relay: the bytes before are on their way, those after are not."""
    spoken: Any = import_module("alerts.transaction")
    stuffed, within = spoken.stuffed, spoken._within
    others = (spoken.BODY_WITHIN, spoken.REPLY_WITHIN, spoken.OFFER_WITHIN)

    async def awaited(seconds: float, work: Any) -> Any:  # noqa: ANN401, whatever is awaited
        if seconds not in others:
            reached()
        return await within(seconds, work)

    if name == WITHIN[0]:
        spoken.stuffed = lambda content: stuffed(content)[: len(content) // 2]
        wrap("alerts.transaction", "Connection._send", before=_nothing, after=reached)
    else:
        spoken._within = awaited


def _put(board: mmap.mmap, phase: bytes) -> None:
    board[0:1] = phase


def _nothing() -> None:
    pass

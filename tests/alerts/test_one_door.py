"""Mail has one door: one module speaks SMTP, and one function sends the final dot, after the guard.

Read from the source, so that a second way out turns this red before it sends anything.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PACKAGES = ("alerts", "base", "pages", "scripts", "sources", "subscriptions")
#: Libraries that mail could leave by.
MAILERS = {"aiosmtplib", "smtplib"}


@cache
def _modules() -> tuple[tuple[str, ast.Module], ...]:
    return tuple(
        (str(path.relative_to(ROOT)), ast.parse(path.read_text("utf-8")))
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
    )


def _imported(tree: ast.Module) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            names |= {ast.literal_eval(arg) for arg in node.args if isinstance(arg, ast.Constant)}
    return names


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _called(node: ast.AST, name: str) -> list[ast.Call]:
    """Calls of that name, or of an attribute of that name, in the order of the source."""
    calls = [
        call
        for call in ast.walk(node)
        if isinstance(call, ast.Call) and ast.unparse(call.func).split(".")[-1] == name
    ]
    return sorted(calls, key=lambda call: (call.lineno, call.col_offset))


def _mentions(node: ast.AST, name: str) -> bool:
    """Whether that attribute is named at all, called or only handed on."""
    return any(isinstance(n, ast.Attribute) and n.attr == name for n in ast.walk(node))


def test_the_smtp_client_is_imported_in_one_module() -> None:
    speaking = {path for path, tree in _modules() if _imported(tree) & MAILERS}
    assert speaking == {"alerts/delivery.py"}


def test_connections_are_made_in_one_module() -> None:
    """`Relay.connect` is what opens one; base.database has a `connect` of its own."""
    made = {path for path, tree in _modules() if "relay.connect(" in ast.unparse(tree)}
    assert made == {"alerts/connections.py"}


def test_the_final_dot_is_sent_in_one_place_for_members_and_in_one_for_staff() -> None:
    found = [
        (path, function.name)
        for path, tree in _modules()
        for function in _functions(tree)
        if _mentions(function, "finish")
    ]
    assert found == [("alerts/dispatch.py", "_one"), ("alerts/staff_mail.py", "one")]


def test_the_final_dot_is_sent_only_where_the_guard_said_yes() -> None:
    tree = dict(_modules())["alerts/dispatch.py"]
    one = next(f for f in _functions(tree) if f.name == "_one")
    (dot,) = _called(one, "finish")
    guarded = [
        node
        for node in ast.walk(one)
        if isinstance(node, ast.If)
        and any(dot in ast.walk(inside) for inside in node.body)
        and _is_conjunct(node.test, "self._may_finish(connection, letter)")
    ]
    assert len(guarded) == 1


def _is_conjunct(test: ast.expr, call: str) -> bool:
    """Whether the condition cannot hold unless that awaited call answers true."""
    parts = test.values if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) else [test]
    return any(isinstance(p, ast.Await) and ast.unparse(p.value) == call for p in parts)


def test_the_guard_is_the_one_statement() -> None:
    """`_may_finish` asks the commit, that is `Custody.commit`, and its answer is `let_pass`'s."""
    dispatch = dict(_modules())["alerts/dispatch.py"]
    functions = {f.name: f for f in _functions(dispatch)}
    assert "self._commit.ask(letter)" in ast.unparse(functions["_may_finish"])
    assert "self._commit: Together[Asked, str] = Together(custody.commit)" in ast.unparse(
        functions["__init__"]
    )
    custody = {f.name: f for f in _functions(dict(_modules())["alerts/custody.py"])}
    assert len(_called(custody["_commit"], "_let_pass")) == 1
    let_pass = custody["_let_pass"]
    still, statement = _called(let_pass, "hold_still"), _called(let_pass, "let_pass")
    assert len(still) == len(statement) == 1
    assert still[0].lineno < statement[0].lineno


def test_only_the_one_statement_puts_a_letter_in_doubt() -> None:
    """No other UPDATE names IN_DOUBT as the state to be."""
    found = [
        (path, function.name)
        for path, tree in _modules()
        for function in _functions(tree)
        for call in _called(function, "values")
        for word in call.keywords
        if word.arg == "state" and ast.unparse(word.value).endswith("IN_DOUBT")
    ]
    assert found == [("alerts/entitlement.py", "_passing")]
    statement = next(
        f for f in _functions(dict(_modules())["alerts/entitlement.py"]) if f.name == "let_pass"
    )
    assert len(_called(statement, "_passing")) == 1


def test_the_door_for_staff_has_one_recipient_and_knows_no_member() -> None:
    """Its envelope goes to the address of the settings; no contact is within its reach."""
    tree = dict(_modules())["alerts/staff_mail.py"]
    (envelope,) = _called(tree, "Envelope")
    assert ast.unparse(envelope.args[1]) == "self.door.to"
    imported = {
        f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    reach = {name for name in imported if name.startswith(("subscriptions", "alerts.tables"))}
    assert reach == {"alerts.tables.LetterState"}
    made = {
        path
        for path, module in _modules()
        for call in _called(module, "Door")
        if path != "alerts/staff_mail.py"
    }
    assert made == {"alerts/assembly.py"}


def test_the_door_for_staff_leads_to_the_address_of_the_settings_only() -> None:
    """Every caller of `assembly.door` gives it STAFF_EMAIL."""
    called = {path for path, tree in _modules() if "assembly.door(" in ast.unparse(tree)}
    assert called == {"scripts/staff_door.py"}
    tree = dict(_modules())["scripts/staff_door.py"]
    (door,) = [one for one in _called(tree, "door") if ast.unparse(one.func) == "assembly.door"]
    assert ast.unparse(door.args[2]) == "to"
    assert "to = settings.Staff.read().staff_email" in ast.unparse(tree)

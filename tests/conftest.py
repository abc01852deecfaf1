"""Shared by all tests: both databases, an empty environment, no network but the loopback."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from base import database as database_module
from base.database import Database, connect, upgrade
from base.settings import GROUPS
from tests.canaries import Canaries
from tests.engines import remembering
from tests.postgres import Copies, Server

_RUN = pytest.StashKey[str]()
CANARIES = Canaries()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests measured (`record_property("measured", …)`), under -q and xdist too."""
    reports = [*terminalreporter.stats.get("passed", ()), *terminalreporter.stats.get("failed", ())]
    said = [str(text) for report in reports for key, text in report.user_properties
            if key == "measured"]  # fmt: skip
    if said:
        terminalreporter.section("measured")
    for line in sorted(said):
        terminalreporter.write_line(line)


def pytest_configure(config: pytest.Config) -> None:
    """Name the run's PostgreSQL folder once, so that its end can take it away."""
    CANARIES.listen()
    database_module.create_engine = remembering
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # Begun in the background of a shell: the commands that tests interrupt would inherit it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if not hasattr(config, "workerinput"):
        config.stash[_RUN] = os.environ["TESTS_RUN"] = uuid.uuid4().hex[:8]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing on the disk: a cluster of a thousand databases is gigabytes."""
    if run := config.stash.get(_RUN, None):
        root = _postgres_folder(run)
        for path in (root, root.with_name(f"{root.name}-run")):
            shutil.rmtree(path, ignore_errors=True)
        root.with_name(f"{root.name}.lock").unlink(missing_ok=True)


@pytest.fixture(autouse=True)
def _nothing_of_anybody_in_the_logs() -> Iterator[None]:
    """A record of ours with an address, a name, a token or a key fails the test."""
    yield
    found, CANARIES.found[:] = CANARIES.found[:], []
    assert found == [], "a log has what is somebody's"


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test reads the developer's settings or `.env`."""
    for group in GROUPS:
        for name in group.model_fields:
            monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)


def _postgres_folder(run: str) -> Path:
    return Path(tempfile.gettempdir()) / f"pg-{run}"


@pytest.fixture(scope="session")
def postgres_root() -> str:
    """Where the one PostgreSQL server of this run keeps its data (a short path)."""
    return str(_postgres_folder(os.environ["TESTS_RUN"]))


@pytest.fixture(scope="session")
def postgres_copies(postgres_root: str) -> Iterator[Copies]:
    """A real PostgreSQL, shared by the workers of this run; made by the first test that asks."""
    server = Server(Path(postgres_root))
    copies = Copies(server)
    yield copies
    copies.close()
    server.stop()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database at head, copied for each test: migrations are run once."""
    path = tmp_path_factory.mktemp("template") / "head.sqlite3"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a fresh database at head, once of each kind."""
    if request.param == "sqlite":
        path = tmp_path / "alertes.sqlite3"
        path.write_bytes(request.getfixturevalue("sqlite_template").read_bytes())
        yield f"sqlite:///{path}"
        return
    copies: Copies = request.getfixturevalue("postgres_copies")
    name = copies.take()
    yield copies.server.url(name)
    copies.give_back(name)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A fresh database at head; a test that takes it runs on SQLite and on PostgreSQL."""
    opened = connect(database_url)
    yield opened
    opened.dispose()


@dataclass(frozen=True, slots=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str


@pytest.fixture
def alertes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Said]:
    """The staff command as its entry point runs it, in this process."""
    from scripts import console  # noqa: PLC0415, few tests need it
    from scripts.__main__ import main  # noqa: PLC0415, as above

    def run(*words: str) -> Said:
        monkeypatch.setattr("sys.argv", ["alertes", *words])
        for one in (console.out, console.err):
            # A process of its own reads it as it starts.
            monkeypatch.setattr(one, "_width", int(os.environ.get("COLUMNS") or 80))
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        code = ended.value.code
        return Said(code if isinstance(code, int) else 1, said.out, said.err)

    return run

"""A Postfix of our own on the loopback, apart from the machine's: its folders, ports and log.

It delivers to one port of this machine, or throws away; it asks no name server, and makes no sender
wait a second because it receives faster than it delivers (in_flow_delay).
"""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROGRAM = Path("/usr/sbin/postfix")
#: The services that a relay without local delivery needs (master(5)).
_SERVICES = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
smtp unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
discard unix - - n - - discard
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
tlsmgr unix - - n 1000? 1 tlsmgr
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""
_SETTINGS = """\
compatibility_level = 3.6
queue_directory = {queue}
data_directory = {data}
maillog_file = {log}
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = relais.exemple.quebec
mydestination =
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_client_connection_count_limit = 0
default_transport = {transport}
relay_transport = {transport}
disable_dns_lookups = yes
in_flow_delay = 0
enable_long_queue_ids = yes
smtp_connection_cache_on_demand = no
local_recipient_maps =
alias_maps =
alias_database =
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Postfix:
    """One that runs."""

    port: int
    log: Path
    configuration: Path

    def queued(self) -> int:
        """How many messages it still has to deliver."""
        shown = subprocess.run(  # noqa: S603, its own folder
            ["/usr/sbin/postqueue", "-c", str(self.configuration), "-j"],
            capture_output=True,
            check=True,
            text=True,
        )
        return sum(1 for line in shown.stdout.splitlines() if json.loads(line))


@contextlib.contextmanager
def postfix(folder: Path, *, deliver_to: int | None = None) -> Iterator[Postfix]:
    """Run one in `folder`, which user postfix must be able to reach; needs root.

    `deliver_to` is a port of this machine that all mail goes to; without it, nowhere.
    """
    made = _written(folder, _free_port(), deliver_to)
    _control(made.configuration, "start")
    try:
        _wait_for(made.port)
        yield made
    finally:
        _control(made.configuration, "stop")


def _written(folder: Path, port: int, deliver_to: int | None) -> Postfix:
    places = {name: folder / name for name in ("conf", "queue", "data", "log")}
    for place in places.values():
        place.mkdir(parents=True, mode=0o755)
    shutil.chown(places["data"], "postfix", "postfix")
    log = places["log"] / "mail.log"
    settings = _SETTINGS.format(
        queue=places["queue"],
        data=places["data"],
        log=log,
        folder=folder,
        transport=f"smtp:[127.0.0.1]:{deliver_to}" if deliver_to else "discard:",
    )
    (places["conf"] / "main.cf").write_text(settings, encoding="ascii")
    (places["conf"] / "master.cf").write_text(_SERVICES.format(port=port), encoding="ascii")
    return Postfix(port=port, log=log, configuration=places["conf"])


def _control(configuration: Path, verb: str) -> None:
    subprocess.run(  # noqa: S603, its own folder
        [str(PROGRAM), "-c", str(configuration), verb], check=True, capture_output=True, timeout=60
    )


def _free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


def _wait_for(port: int) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise TimeoutError(f"Postfix does not listen on {port}")

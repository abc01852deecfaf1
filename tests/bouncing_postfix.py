"""A real Postfix on the loopback: it relays to a next hop and bounces into a Maildir.

Needs root, as Postfix does to start, and Debian's package; a test skips where they lack.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MAIN = """
compatibility_level = 3.6
queue_directory = {root}/queue
data_directory = {root}/data
maillog_file = {root}/log
maillog_file_prefixes = {root}
myhostname = relais.exemple.quebec
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtp_dns_support_level = disabled
relayhost = [127.0.0.1]:{next_hop}
recipient_delimiter = +
virtual_mailbox_domains = {domain}
virtual_mailbox_base = {root}/mail
virtual_mailbox_maps = static:retours/
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{uid}
virtual_minimum_uid = 1
bounce_queue_lifetime = 1h
"""
MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
postlog unix-dgram n - n - 1 postlogd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
flush unix n - n 1000? 0 flush
"""
#: Who owns the Maildir: nobody's ids.
_NOBODY = 65534


@dataclass(frozen=True)
class Postfix:
    """A running Postfix."""

    port: int
    #: Where it delivers what is addressed to its domain.
    maildir: Path

    def returned(self, number: int, seconds: float = 20) -> list[bytes]:
        """Its first deliveries, once there are so many."""
        new = self.maildir / "new"
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            found = sorted(new.iterdir()) if new.exists() else []
            if len(found) >= number:
                break
            time.sleep(0.1)
        return [file.read_bytes() for file in sorted(new.iterdir())] if new.exists() else []


def lacks() -> str:
    """Why there can be no Postfix here; "" where there can, or must be (CI)."""
    if os.environ.get("FORBID_SKIPS") == "1":
        return ""
    if shutil.which("postfix") is None:
        return "no Postfix on this machine"
    return "" if os.geteuid() == 0 else "Postfix is started by root"


@contextlib.contextmanager
def postfix(next_hop: int, domain: str) -> Iterator[Postfix]:
    """Run a Postfix of its own folder that relays all but `domain` to that port."""
    root = Path(tempfile.mkdtemp(prefix="postfix-"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    try:
        _lay_out(root, port, next_hop, domain)
        _run(root, "start")
        _wait_for(port)
        yield Postfix(port, root / "mail" / "retours")
    finally:
        _run(root, "stop")
        shutil.rmtree(root, ignore_errors=True)


def _lay_out(root: Path, port: int, next_hop: int, domain: str) -> None:
    root.chmod(0o755)
    for name in ("queue", "data", "mail", "conf"):
        (root / name).mkdir(mode=0o755)
    shutil.chown(root / "data", "postfix")
    os.chown(root / "mail", _NOBODY, _NOBODY)
    main = MAIN.format(root=root, next_hop=next_hop, uid=_NOBODY, domain=domain)
    (root / "conf" / "main.cf").write_text(main, "utf-8")
    (root / "conf" / "master.cf").write_text(MASTER.format(port=port), "utf-8")


def _run(root: Path, command: str) -> None:
    subprocess.run(  # noqa: S603, a folder of ours
        ["postfix", "-c", str(root / "conf"), command],  # noqa: S607, Debian's
        check=False,
        capture_output=True,
        timeout=60,
    )


def _wait_for(port: int) -> None:
    for _ in range(100):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise TimeoutError("Postfix does not listen")

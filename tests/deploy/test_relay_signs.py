"""The relay signs by default: what deploy/ has for it covers all that it must, and works."""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from alerts import signing
from alerts.delivery import Envelope, Outcome, Relay
from tests import bouncing_postfix
from tests.emails.gallery import LINKS, SENDER
from tests.emails.notes import note
from tests.mailserver import mail_server
from tests.signatures import holds, opendkim_lacks, pem, signer, verified

ROOT = Path(__file__).parents[2]
LACKS = bouncing_postfix.lacks() or opendkim_lacks()


def _opendkim(option: str) -> set[str]:
    found = re.search(
        rf"(?m)^{option}\s+(\S+)$", (ROOT / "deploy" / "opendkim.conf").read_text("ascii")
    )
    assert found is not None
    return set(found[1].lower().split(","))


def test_opendkim_and_rspamd_are_told_to_sign_what_we_would() -> None:
    assert _opendkim("SignHeaders") == set(signing.SIGNED)
    assert _opendkim("OversignHeaders") == set(signing.SEALED)
    text = (ROOT / "deploy" / "rspamd-dkim_signing.conf").read_text("ascii")
    named = re.search(r'sign_headers = "(.*)";', text)
    assert named is not None
    headers = named[1].split(":")
    assert {one.removeprefix("(o)") for one in headers} == set(signing.SIGNED)
    sealed = {one.removeprefix("(o)") for one in headers if one.startswith("(o)")}
    assert sealed == set(signing.SEALED)


@contextmanager
def _signing() -> Iterator[int]:
    """OpenDKIM by the file of deploy/, with its places in a folder of its own; its port."""
    # Not below /tmp: OpenDKIM takes no key from where anybody writes.
    folder = Path(tempfile.mkdtemp(prefix="opendkim-", dir="/run"))
    folder.chmod(0o755)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    key = folder / "private"
    key.write_bytes(pem())
    key.chmod(0o400)
    shutil.chown(key, "opendkim")
    changed = {"KeyFile": key, "Socket": f"inet:{port}@127.0.0.1", "PidFile": folder / "pid"}
    text = (ROOT / "deploy" / "opendkim.conf").read_text("ascii")
    for option, value in changed.items():
        text, times = re.subn(rf"(?m)^({option}\s+)\S+$", rf"\g<1>{value}", text)
        assert times == 1
    (folder / "conf").write_text(text, "ascii")
    running = subprocess.Popen(["/usr/sbin/opendkim", "-f", "-x", str(folder / "conf")])  # noqa: S603
    try:
        _wait_for(port)
        yield port
    finally:
        running.terminate()
        running.wait(10)
        shutil.rmtree(folder)


def _wait_for(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("OpenDKIM does not listen")


@pytest.mark.skipif(bool(LACKS), reason=LACKS)
async def test_postfix_with_opendkim_as_documented_signs_what_we_hand_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _signing() as port:
        milter = f"smtpd_milters = inet:127.0.0.1:{port}\nmilter_default_action = tempfail\n"
        monkeypatch.setattr(bouncing_postfix, "MAIN", bouncing_postfix.MAIN + milter)
        content = await _through_postfix(note("bienvenue-sans-avis", SENDER, LINKS).content)
    ours = signer(tmp_path)
    assert verified(content, ours)
    assert holds(content, ours)
    changed = content.replace(b"List-Unsubscribe=One-Click", b"List-Unsubscribe=Two-Clicks")
    assert changed != content
    assert not verified(changed, ours)
    assert not verified(b"List-Unsubscribe: <https://autre.exemple.quebec/>\r\n" + content, ours)


@pytest.mark.skipif(bool(LACKS), reason=LACKS)
async def test_nothing_leaves_unsigned_while_opendkim_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    away = "smtpd_milters = inet:127.0.0.1:1\nmilter_default_action = tempfail\n"
    monkeypatch.setattr(bouncing_postfix, "MAIN", bouncing_postfix.MAIN + away)
    async with mail_server() as hop:
        with bouncing_postfix.postfix(hop.port, "retours.exemple.quebec") as server:
            assert await _offered(server.port, b"Subject: essai\r\n\r\n") is Outcome.BUSY
    assert hop.received == []


async def _through_postfix(unsigned: bytes) -> bytes:
    """What the next hop received of that message."""
    async with mail_server() as hop:
        with bouncing_postfix.postfix(hop.port, "retours.exemple.quebec") as server:
            assert await _offered(server.port, unsigned) is Outcome.ACCEPTED
            for _ in range(400):
                if hop.received:
                    break
                await asyncio.sleep(0.05)
    ((_, _, content),) = hop.received
    return content


async def _offered(port: int, content: bytes) -> Outcome:
    relay = Relay(host="127.0.0.1", port=port, tls="none", helo="essai")
    connection = await relay.connect()
    envelope = Envelope("retours@coop.exemple.quebec", "anne@exemple.quebec", content)
    receipt = await connection.offer(envelope) or await connection.finish()
    await connection.quit()
    return receipt.outcome

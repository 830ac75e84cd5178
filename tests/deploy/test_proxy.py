"""The proxy as nginx runs it: whose requests it answers, and with what."""

from __future__ import annotations

import http.client
import http.server
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
NAME = "localhost"
NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed (Debian package nginx)")


def configuration(folder: Path, plain: int, tls: int, web: int) -> str:
    pem = str(ROOT / "tests" / "agents" / "localhost.pem")
    (folder / "mime.types").write_text("types { text/html html; }")
    text = (ROOT / "deploy" / "nginx" / "nginx.conf").read_text()
    changes = {
        "/tmp/": f"{folder}/", "/etc/nginx/": f"{folder}/", "/dev/stdout": f"{folder}/log", "/dev/stderr": f"{folder}/errors",
        "/run/secrets/tls_certificate": pem, "/run/secrets/tls_key": pem, "http://web:8080": f"http://127.0.0.1:{web}",
        "listen 8080": f"listen 127.0.0.1:{plain}", "listen 8443": f"listen 127.0.0.1:{tls}", "afspraken.example.org": NAME,
    }  # fmt: skip
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


REQUEST_IDS: list[list[str]] = []
"""Of each request that reached the web."""


class Web(http.server.BaseHTTPRequestHandler):
    """Says what reaches it."""

    def do_GET(self) -> None:
        body = f"{self.path} {self.headers['Host']} {self.headers['X-Forwarded-For']}".encode()
        REQUEST_IDS.append(self.headers.get_all("X-Request-ID") or [])
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *args: object) -> None:
        """Nothing."""


def free() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the proxy keeps its files."""
    return tmp_path_factory.mktemp("nginx")


@pytest.fixture(scope="module")
def ports(folder: Path) -> Iterator[tuple[int, int]]:
    """A running proxy: its plain port and its TLS port."""
    yield from running(folder)


@pytest.fixture
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, int]]:
    """Another one, which nobody has asked for anything."""
    yield from running(tmp_path_factory.mktemp("nginx"))


def running(folder: Path, other: int | None = None) -> Iterator[tuple[int, int]]:
    """`other`: the port of a second web service, which is asked in turn."""
    assert NGINX is not None
    folder.chmod(0o755)
    plain, tls = free(), free()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Web) as web:
        threading.Thread(target=web.serve_forever, daemon=True).start()
        text = configuration(folder, plain, tls, web.server_address[1])
        if other is not None:
            text = of_two(text, web.server_address[1], other)
        (folder / "nginx.conf").write_text(text)
        words = [NGINX, "-c", str(folder / "nginx.conf"), "-g", "daemon off; master_process off;"]
        with subprocess.Popen(words, stderr=subprocess.DEVNULL) as process:
            try:
                until = time.monotonic() + 20
                while time.monotonic() < until and process.poll() is None:
                    with socket.socket() as one:
                        if one.connect_ex(("127.0.0.1", tls)) == 0:
                            break
                    time.sleep(0.05)
                yield plain, tls
            finally:
                process.terminate()
                process.wait(20)
                web.shutdown()


def of_two(text: str, *ports: int) -> str:
    """The configuration as its comment has it for two web services."""
    for at, port in enumerate(ports, 1):
        text = text.replace(f"192.0.2.{at}:8080", f"127.0.0.1:{port}")
    return re.sub(r"set \$web http://[\d.:]+", "set $web http://webs", text.replace("#upstream webs", "upstream webs"))


def trusting() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(ROOT / "tests" / "agents" / "localhost.pem"))


def get(connection: http.client.HTTPConnection, path: str, host: str) -> tuple[int, str, str]:
    connection.request("GET", path, headers={"Host": host, "X-Forwarded-For": "203.0.113.9"})
    answer = connection.getresponse()
    return answer.status, answer.headers.get("Location", ""), answer.read().decode()


def test_plain_http_leads_to_our_name_and_to_no_other(ports: tuple[int, int]) -> None:
    status, location, _ = get(http.client.HTTPConnection("127.0.0.1", ports[0]), "/u/x?y=1", NAME)

    assert (status, location) == (308, f"https://{NAME}/u/x?y=1")
    with pytest.raises(http.client.RemoteDisconnected):
        get(http.client.HTTPConnection("127.0.0.1", ports[0]), "/", "evil.example")


def test_another_name_gets_neither_a_certificate_nor_an_answer(ports: tuple[int, int]) -> None:
    with socket.create_connection(("127.0.0.1", ports[1])) as raw, pytest.raises(ssl.SSLError, match=r"(?i)unrecognized.name"):
        trusting().wrap_socket(raw, server_hostname="evil.example")
    with pytest.raises(http.client.RemoteDisconnected):
        get(http.client.HTTPSConnection(NAME, ports[1], context=trusting()), "/", "evil.example")


def test_our_name_reaches_the_web_with_the_address_of_the_connection(ports: tuple[int, int]) -> None:
    answers = [
        get(http.client.HTTPSConnection(NAME, ports[1], context=trusting()), path, NAME)
        for path in ("/u/x?y=1", "/berichten.csv?dag=1", "/aanmelden")
    ]

    assert answers == [(200, "", f"{path} {NAME} 127.0.0.1") for path in ("/u/x?y=1", "/berichten.csv?dag=1", "/aanmelden")]


def test_each_request_has_an_id_of_the_proxys_own_which_its_log_has_too(ports: tuple[int, int], folder: Path) -> None:
    before = len(REQUEST_IDS)
    for said in ("0" * 32, "a client's own\tword"):
        connection = http.client.HTTPSConnection(NAME, ports[1], context=trusting())
        connection.request("GET", "/u/x", headers={"Host": NAME, "X-Request-ID": said})
        assert connection.getresponse().status == 200
    found = [id_ for ids in REQUEST_IDS[before:] for id_ in ids]

    assert len(set(found)) == 2
    assert all(re.fullmatch(r"[0-9a-f]{32}", id_) and id_ != "0" * 32 for id_ in found)
    until = time.monotonic() + 20
    while not all(id_ in (folder / "log").read_text() for id_ in found) and time.monotonic() < until:
        time.sleep(0.05)
    assert all(id_ in (folder / "log").read_text() for id_ in found)


def test_whoever_finds_a_hole_reads_whom_to_tell(ports: tuple[int, int]) -> None:
    status, _, text = get(http.client.HTTPSConnection(NAME, ports[1], context=trusting()), "/.well-known/security.txt", NAME)
    said = dict(line.split(": ", 1) for line in text.splitlines())

    assert (status, list(said)) == (200, ["Contact", "Expires", "Preferred-Languages", "Canonical"])
    assert said["Canonical"] == f"https://{NAME}/.well-known/security.txt"


@pytest.mark.parametrize("cipher", ["AES256-GCM-SHA384", "ECDHE-RSA-AES256-SHA384", "DHE-RSA-AES256-GCM-SHA384"])
def test_a_cipher_without_ephemeral_keys_or_authentication_is_refused(ports: tuple[int, int], cipher: str) -> None:
    context = trusting()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(f"{cipher}@SECLEVEL=0")
    with socket.create_connection(("127.0.0.1", ports[1])) as raw, pytest.raises(ssl.SSLError, match=r"(?i)handshake"):
        context.wrap_socket(raw, server_hostname=NAME)


def test_one_address_has_not_all_connections(ports: tuple[int, int]) -> None:
    text = (ROOT / "deploy" / "nginx" / "nginx.conf").read_text()

    assert "limit_conn_zone $binary_remote_addr zone=connections:" in text
    assert "limit_conn connections 100;" in text


@pytest.mark.parametrize(("path", "most"), [("/aanmelden", 11), ("/aanmelden/start", 41), ("/aanmelden/terug", 41)])
def test_one_address_does_not_keep_all_who_want_to_sign_in_waiting(fresh: tuple[int, int], path: str, most: int) -> None:
    """Found: two of the three were not limited, and each of their requests asks the identity provider."""
    connection = http.client.HTTPSConnection(NAME, fresh[1], context=trusting())
    answers = [get(connection, path, NAME)[0] for _ in range(60)]

    assert set(answers[:most]) == {200}
    assert 429 in answers[most:]
    assert get(connection, "/u/x", NAME)[0] == 200


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_while_one_of_two_web_services_is_restarted_the_other_one_answers(tmp_path: Path, method: str) -> None:
    for _, tls in running(tmp_path, free()):
        assert [asked(tls, method) for _ in range(6)] == [200] * 6


def test_a_post_that_a_web_service_took_and_did_not_answer_is_not_sent_to_the_other_one(tmp_path: Path) -> None:
    taken = list[str]()

    class Dying(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            taken.append(self.command)
            self.connection.shutdown(socket.SHUT_RDWR)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *args: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Dying) as dying:
        threading.Thread(target=dying.serve_forever, daemon=True).start()
        for _, tls in running(tmp_path, dying.server_address[1]):
            answers = []
            while not taken:
                before = len(REQUEST_IDS)
                answers.append((asked(tls, "POST"), len(REQUEST_IDS) - before))
        dying.shutdown()
    assert (taken, answers[-1]) == (["POST"], (502, 0))


def asked(tls: int, method: str) -> int:
    connection = http.client.HTTPSConnection(NAME, tls, context=trusting())
    connection.request(method, "/u/x", b"" if method == "POST" else None)
    return connection.getresponse().status

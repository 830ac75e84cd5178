"""One whole installation of `make two-weeks` on this machine, by deploy/systemd, deploy/nginx and deploy/prometheus alone.

Around it runs what is not ours: brokers, PostgreSQL, an SMS gateway and a mail relay. Said honestly: PostgreSQL's server comes of
a wheel or of PATH, certificates are the tests' own, addresses are of loopback.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import ssl
import subprocess
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp

from agents.broker.probe import free_ports
from agents.fakes.sms import FakeSms
from agents.fakes.smtp import FakeSmtp
from agents.kafka.rights import ROLES
from agents.kafka.security import client_settings
from agents.settings.settings import Settings
from tests.agents.projection.postgres import postgres
from tests.broker.certificates import Authority
from tests.broker.harness import ROOT
from tests.deploy.test_proxy import NGINX, configuration

from .brokers import Brokers
from .rolling import asked
from .units import Machine, Unit, settings_file
from .watch import Watch, replaced

PEM = ROOT / "tests" / "agents" / "localhost.pem"
OLD_USER = "afspraakbericht"
"""The only user of Kafka before there were rights."""
PARTITIONS = 6
"""deploy/ says 24; six are as good for all that is done here, and a machine of two cores makes them in seconds."""
COMMAND_SECONDS = 300


class Gateway(FakeSms):
    """An SMS provider whose account may have several keys, and which reports over TLS, for as long as it takes."""

    patience = (0.1, 0.5, 2.0, *[5.0] * 120)

    def __init__(self, key: str, signing_key: str) -> None:
        super().__init__(signing_key=signing_key)
        self.keys = {key}

    def _check(self, authorization: str, content: bytes) -> Any:
        self._key = next((key for key in self.keys if authorization == f"AccessKey {key}"), "none that is known")
        return super()._check(authorization, content)

    def sign_with(self, key: str) -> None:
        """Sign reports with this key from now on."""
        self._signing_key = key

    async def start(self) -> None:
        """Listen, and trust the proxy's certificate."""
        await super().start()
        await self._client.close()
        connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=str(PEM)))
        self._client = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10), connector=connector)


class Relay(FakeSmtp):
    """A mail relay with STARTTLS that may know several passwords of one user."""

    def __init__(self, passwords: dict[str, set[str]]) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(PEM)
        super().__init__("localhost", users=dict.fromkeys(passwords, ""), tls_context=context)
        self._settings["auth_exclude_mechanism"] = ["LOGIN"]  # Alertmanager does not know how aiosmtpd asks
        self.passwords = passwords

    def _authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> Any:
        given = data.password.decode()
        known = self.passwords.get(data.login.decode(), set())
        self.users = {data.login.decode(): given if given in known else secrets.token_hex(8)}
        return super()._authenticate(server, session, envelope, mechanism, data)


class Installation:
    """Everything, and the commands on it. `workers` and `web` are its services; `names`: of roles whose user has another name."""

    def __init__(self, folder: Path, old: Path) -> None:
        self.folder, self.old = folder, old
        self.authority = Authority(folder / "certificates")
        bundle = folder / "certificates" / "all.pem"
        bundle.write_text(PEM.read_text() + self.authority.ca.read_text())
        self.certificates = bundle
        self.machine = Machine(folder / "machine", {"SSL_CERT_FILE": str(bundle)})
        self.secrets = {name: secrets.token_urlsafe(32) for name in ("messagebird_key", "smtp_password", "signing", "alarm")}
        self.users = {name: secrets.token_urlsafe(16) for name in (*ROLES, OLD_USER)}
        self.names: dict[str, str] = {}
        self.clusters = 0
        self.brokers = self.new_brokers()
        self.gateway = Gateway(self.secrets["messagebird_key"], self.secrets["signing"])
        self.relay = Relay({"afspraakbericht": {self.secrets["smtp_password"]}, "alarm": {self.secrets["alarm"]}})
        self.workers: dict[int, Unit] = {}
        self.web = Unit(self.machine, "afspraakbericht-web")
        self.ports = dict(enumerate(free_ports(6)))
        self.web_port, self.plain, self.tls = free_ports(3)
        self.stack = AsyncExitStack()
        self.upgraded = False

    def new_brokers(self) -> Brokers:
        """Three more brokers, not started yet, with our users."""
        self.clusters += 1
        return Brokers(self.folder / f"kafka-{self.clusters}", self.authority, self.users, OLD_USER)

    @property
    def url(self) -> str:
        """Where the world sees the web service."""
        return f"https://localhost:{self.tls}"

    async def start(self) -> None:
        """Start what is around it, and write its files."""
        stack = await self.stack.__aenter__()
        stack.push_async_callback(asyncio.to_thread, lambda: self.brokers.kill())
        await asyncio.to_thread(self.brokers.start)
        for fake in (self.gateway, self.relay):
            await stack.enter_async_context(fake)
        self.database = stack.enter_context(postgres())
        self._proxy()
        self.watch = Watch(self.folder / "watch", self.relay.port, self.certificates)
        stack.push_async_callback(asyncio.to_thread, self.watch.stop)
        self.machine.install(self.old)
        self._files()
        self.watch.target([self.ports[number] for number in (1, 2, 3)], self.ports[0])
        self.watch.start(("alarm", self.secrets["alarm"]))
        stack.push_async_callback(self._end)

    async def _end(self) -> None:
        for unit in (*self.workers.values(), self.web):
            await unit.stop()

    def _proxy(self) -> None:
        assert NGINX is not None, "no nginx: install the Debian package"
        folder = self.folder / "nginx"
        folder.mkdir()
        (folder / "nginx.conf").write_text(configuration(folder, self.plain, self.tls, self.web_port))
        words = [NGINX, "-c", str(folder / "nginx.conf"), "-g", "daemon off; master_process off;"]
        with (self.folder / "nginx.log").open("wb") as log:
            process = subprocess.Popen(words, stdout=log, stderr=log)
        self.stack.callback(process.wait, 20)
        self.stack.callback(process.terminate)

    # -- files ---------------------------------------------------------------------------------------------------------

    def _files(self) -> None:
        """The files of deploy/systemd/README.md 3 and 4, with what the version before knew of them."""
        readme = (ROOT / "deploy" / "systemd" / "README.md").read_text()
        found = re.search(r"/etc/afspraakbericht/env <<'END'\n(.*?)\n +END", readme, re.DOTALL)
        assert found is not None
        text = replaced(
            found[1], {
                "kafka-1.example.org:9093,kafka-2.example.org:9093": self.brokers.login,
                "PARTITIONS=24": f"PARTITIONS={PARTITIONS}", "smtp.example.org": "localhost",
                "https://afspraken.example.org": self.url,
            },
        )  # fmt: skip
        file = self.machine.etc / "env"
        file.write_text("\n".join(line.strip() for line in text.splitlines()) + "\n")
        self.set(
            kafka_ca=self.authority.ca, kafka_user=OLD_USER, smtp_port=self.relay.port, messagebird_url=self.gateway.url,
            session_timeout_seconds=15, dkim_domain=None,
        )  # fmt: skip
        for number, port in self.ports.items():
            (self.machine.etc / f"env.{number}").write_text(f"AFSPRAAKBERICHT_METRICS_PORT={port}\n")
        for name in ("accounts", "api_keys"):
            (self.machine.etc / name).touch()
        self.set(
            "env.web", web_database=self.database, web_port=self.web_port, metrics_port=self.ports[0],
            accounts=self.machine.etc / "accounts", api_keys=self.machine.etc / "api_keys",
        )  # fmt: skip
        for name, value in {
            "messagebird_key": self.secrets["messagebird_key"], "smtp_password": self.secrets["smtp_password"],
            "messagebird_signing_keys": self.secrets["signing"], "unsubscribe_keys": secrets.token_urlsafe(32),
            "session_keys": secrets.token_urlsafe(32), "bird_key": "", "dkim_key": "", "kafka_password": self.users[OLD_USER],
            **{f"kafka_password.{role}": self.users[role] for role in ROLES},
        }.items():  # fmt: skip
            self.secret(name, value)

    def secret(self, name: str, value: str) -> None:
        """Write a secret's file."""
        (self.machine.etc / name).write_text(value)

    def read(self, name: str) -> str:
        """A secret's file."""
        return (self.machine.etc / name).read_text()

    def set(self, file: str = "env", **changes: object) -> None:
        """Change settings in a file; None: it goes."""
        path = self.machine.etc / file
        values = settings_file(path) if path.exists() else {}
        for name, value in changes.items():
            values.pop(f"AFSPRAAKBERICHT_{name.upper()}", None)
            if value is not None:
                values[f"AFSPRAAKBERICHT_{name.upper()}"] = str(value)
        path.write_text("".join(f"{name}={value}\n" for name, value in values.items()))

    @property
    def prefix(self) -> str:
        """What stands before every name on Kafka."""
        return settings_file(self.machine.etc / "env").get("AFSPRAAKBERICHT_TOPIC_PREFIX", "")

    def environment(self, role: str) -> dict[str, str]:
        """Of a command, by one of Kafka's users."""
        user = self.names.get(role, role) if self.upgraded else OLD_USER
        values = self.machine.environment() | settings_file(self.machine.etc / "env")
        name = f"kafka_password.{role}" if self.upgraded else "kafka_password"
        mine = {"AFSPRAAKBERICHT_KAFKA_USER": user, "AFSPRAAKBERICHT_KAFKA_PASSWORD_FILE": str(self.machine.etc / name)}
        if role in ("operator", "web"):
            mine["AFSPRAAKBERICHT_WEB_DATABASE"] = self.database
        return values | mine | {"AFSPRAAKBERICHT_DATA": str(self.machine.folder / "var" / "commands")}

    def security(self, role: str) -> Mapping[str, Any]:
        """What a client of such a user gets."""
        ours = {name: value for name, value in self.environment(role).items() if name.startswith("AFSPRAAKBERICHT_")}
        return client_settings(Settings.from_env({**ours, "AFSPRAAKBERICHT_UNSUBSCRIBE_URL": ""}))

    # -- commands ------------------------------------------------------------------------------------------------------

    async def run(self, role: str, *words: str, **more: object) -> subprocess.CompletedProcess[str]:
        """A command of ours."""
        environment = self.environment(role) | {f"AFSPRAAKBERICHT_{name.upper()}": str(value) for name, value in more.items()}
        program = str(self.machine.folder / "opt" / "bin" / "afspraakbericht")
        return await asyncio.to_thread(
            subprocess.run, [program, *words], env=environment, capture_output=True, text=True, check=False,
            timeout=COMMAND_SECONDS, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    # -- services ------------------------------------------------------------------------------------------------------

    def worker(self, number: int) -> Unit:
        """Start a worker."""
        unit = self.workers.setdefault(number, Unit(self.machine, f"afspraakbericht@{number}"))
        unit.start()
        self.scrape()
        return unit

    async def end_worker(self, number: int) -> int:
        """Stop one for good."""
        unit = self.workers.pop(number)
        self.scrape()
        return await unit.stop()

    def scrape(self) -> None:
        """Have Prometheus look at the workers that are meant to be there."""
        self.watch.target([self.ports[number] for number in sorted(self.workers)], self.ports[0])

    async def page(self, number: int, page: str) -> str | None:
        """What the metrics port of a worker, or of the web (0), answers."""
        return await asyncio.to_thread(asked, self.ports[number], page)

    async def is_ready(self) -> bool:
        """Whether all workers, and the web, are."""
        pages = await asyncio.gather(*(self.page(number, "ready") for number in self.workers))
        return bool(pages) and all(page is not None for page in pages) and await self.web_is_ready()

    async def web_is_ready(self) -> bool:
        """Whether the web answers through the proxy."""
        context = ssl.create_default_context(cafile=str(PEM))
        try:
            async with aiohttp.ClientSession() as session, session.get(f"{self.url}/u/x", ssl=context) as response:
                return response.status < 500
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False

    async def lag(self) -> int | None:
        """How many records the workers have not read yet; None where one does not answer."""
        pages = await asyncio.gather(*(self.page(number, "metrics") for number in self.workers))
        if any(page is None for page in pages):
            return None
        found = [re.findall(r"^afspraakbericht_topic_lag_records\S* ([\d.e+]+)", page or "", re.MULTILINE) for page in pages]
        return int(sum(float(value) for values in found for value in values))

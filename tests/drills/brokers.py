"""Three brokers as RUNBOOK.md "First start" 4 has them: TLS and SCRAM for clients, rights for each user, nothing by default."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import IO

from agents.broker.broker import EmbeddedKafka
from agents.broker.cluster import EmbeddedCluster
from agents.broker.java import new_id
from agents.broker.probe import free_ports
from agents.broker.properties import Quorum
from tests.broker.certificates import Authority

HOST = "127.0.0.1"


class BrokerWithUsers(EmbeddedKafka):
    """SCRAM's passwords are kept by the brokers, from their first start on."""

    users: dict[str, str]

    def _new_folder(self, command: list[str], cluster_id: str, log: IO[bytes]) -> None:
        added = [word for name, password in self.users.items() for word in ("--add-scram", _scram(name, password))]
        self._format([*command, *added], log)


def _scram(name: str, password: str) -> str:
    return f'SCRAM-SHA-512=[name="{name}",password="{password}"]'


class Brokers(EmbeddedCluster):
    """Beside the plain listener, by which brokers speak to one another and an administrator may do all, each has one for clients.

    `users`: names and passwords; of one in `trusted` no right is asked.
    """

    def __init__(self, folder: Path, authority: Authority, users: dict[str, str], trusted: str) -> None:
        ports = free_ports(9)
        plain, controllers, logins = ports[:3], ports[3:6], ports[6:]
        quorum = Quorum(new_id(), tuple(controllers))
        identity = authority.sign(f"broker-{folder.name}", host=HOST)
        self.folder = folder
        self.nodes = []
        for node in (1, 2, 3):
            at = node - 1
            broker = BrokerWithUsers(
                folder / str(node), plain[at], heap="256m", quorum=quorum, node=node, start_seconds=180.0,
                extra=_listeners(identity, plain[at], controllers[at], logins[at], trusted),
            )  # fmt: skip
            broker.users = users
            self.nodes.append(broker)
        self.plain = ",".join(f"{HOST}:{port}" for port in plain)
        self.login = ",".join(f"{HOST}:{port}" for port in logins)

    def kill_with_disk(self, at: int) -> None:
        """One is gone, with its disk; what is started in its place is empty, and learns of users from the others."""
        node = self.nodes[at]
        node.kill()
        shutil.rmtree(node.data / "log")
        assert isinstance(node, BrokerWithUsers)
        node.users = {}


def _listeners(identity: Path, plain: int, controller: int, login: int, trusted: str) -> dict[str, str]:
    open_to = f"PLAINTEXT://{HOST}:{plain},LOGIN://{HOST}:{login}"
    return {
        "listeners": f"{open_to},CONTROLLER://{HOST}:{controller}",
        "advertised.listeners": open_to,
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,LOGIN:SASL_SSL",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(identity),
        "listener.name.login.sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.login.scram-sha-512.sasl.jaas.config": (
            "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        ),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:ANONYMOUS;User:{trusted}",
        "allow.everyone.if.no.acl.found": "false",
    }  # fmt: skip

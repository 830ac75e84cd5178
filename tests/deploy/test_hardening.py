"""What an intruder finds: each process has its own secrets alone, and may do nothing that it need not."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from agents.kafka.rights import Role
from agents.main import main

from .test_manifests import DEPLOY, documents, environment, pods

UNITS = sorted(DEPLOY.glob("systemd/*.service"))
SENDING = {"messagebird_key", "smtp_password", "dkim_key"}
ANSWERING = {"messagebird_signing_keys", "session_keys"}
LISTENING = {"mllp_certificate", "mllp_clients"}
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]

HARDENING = """
CapabilityBoundingSet= LockPersonality=yes MemoryDenyWriteExecute=yes NoNewPrivileges=yes PrivateDevices=yes PrivateTmp=yes
ProtectClock=yes ProtectControlGroups=yes ProtectHome=yes ProtectHostname=yes ProtectKernelLogs=yes ProtectKernelModules=yes
ProtectKernelTunables=yes ProtectProc=invisible ProtectSystem=strict RemoveIPC=yes RestrictNamespaces=yes RestrictRealtime=yes
RestrictSUIDSGID=yes StateDirectoryMode=0700 SystemCallArchitectures=native UMask=0077 LimitCORE=0
""".split()  # noqa: SIM905  # a list of words is easier to read


def lines(unit: Path) -> list[str]:
    return unit.read_text().splitlines()


@pytest.mark.parametrize("unit", UNITS, ids=lambda one: one.name)
def test_a_unit_may_do_no_more_than_it_must(unit: Path) -> None:
    assert set(HARDENING) - set(lines(unit)) == set()
    assert [line for line in lines(unit) if line.startswith("SystemCallFilter=")] == [
        "SystemCallFilter=@system-service", "SystemCallFilter=~@privileged @resources",
    ]  # fmt: skip
    assert {"LimitNOFILE", "MemoryMax", "TasksMax"} <= {line.partition("=")[0] for line in lines(unit)}
    assert not any(line.startswith("ProcSubset=pid") for line in lines(unit)), (
        "process_start_time_seconds is read from /proc/stat"
    )


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed (Debian package systemd)")
@pytest.mark.parametrize("unit", UNITS, ids=lambda one: one.name)
def test_systemd_finds_little_exposure(unit: Path, tmp_path: Path) -> None:
    """Of 10, which is a service without any hardening: 1.5 at most. What is left is mostly its network."""
    copy = tmp_path / unit.name.replace("@", "@1")
    copy.write_text(unit.read_text().replace("/opt/afspraakbericht/bin/afspraakbericht", "/bin/true"))
    words = ["systemd-analyze", "security", "--offline=true", "--threshold=15", "--no-pager", str(copy)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout[-500:] + done.stderr


@pytest.mark.parametrize(
    ("instance", "given", "port"), [("1", None, "9461"), ("9", None, "9469"), ("10", None, "9470"), ("10", "9999", "9999")]
)
def test_every_number_of_a_worker_has_a_port(instance: str, given: str | None, port: str) -> None:
    """`946%i` was 94610 of the tenth. As systemd does: `%i` is the instance, `$$` a dollar."""
    (start,) = re.findall(
        r"^ExecStart=/bin/sh -c '(.+)'$", (DEPLOY / "systemd/afspraakbericht@.service").read_text(), re.MULTILINE
    )
    script = (
        start.replace("%i", instance).replace("$$", "$").replace("exec /opt/afspraakbericht/bin/afspraakbericht worker", "env")
    )
    setting = {"AFSPRAAKBERICHT_METRICS_PORT": given} if given else {}
    done = subprocess.run(["/bin/sh", "-c", script], env=setting, capture_output=True, text=True, check=True)

    assert f"AFSPRAAKBERICHT_METRICS_PORT={port}" in done.stdout.splitlines()


def systemd_secrets(name: str) -> set[str]:
    return set(re.findall(r"^LoadCredential=(\w+):", (DEPLOY / "systemd" / name).read_text(), re.MULTILINE))


def mounted(pod: dict[str, Any]) -> str:
    volumes = {one["name"]: one for one in pod["spec"]["volumes"]}
    return str(volumes["secrets"]["secret"]["secretName"])


def named(pod: dict[str, Any]) -> set[str]:
    return {str(one).removeprefix("/secrets/") for one in environment(pod).values() if str(one).startswith("/secrets/")}


def test_each_process_has_its_own_secrets_and_no_others(capsys: pytest.CaptureFixture[str]) -> None:
    kubernetes = {name.removeprefix("afspraakbericht-"): (mounted(pod), named(pod)) for name, pod in pods().items()}
    both = {"unsubscribe_keys", "kafka_password"}

    assert kubernetes == {
        "worker": ("afspraakbericht-worker", SENDING | both),
        "web": ("afspraakbericht-web", ANSWERING | both | {"web_database", "api_keys", "oidc_secret"}),
        "topics": ("afspraakbericht-setup", {"kafka_password"}),
        "retention": ("afspraakbericht-operator", {"kafka_password"}),
        "mllp": ("afspraakbericht-mllp", LISTENING | {"kafka_password"}),
    }
    users = {name: environment(pod)["AFSPRAAKBERICHT_KAFKA_USER"] for name, pod in pods().items()}
    assert users == {
        name: kubernetes[name.removeprefix("afspraakbericht-")][0].removeprefix("afspraakbericht-") for name in users
    }
    assert set(users.values()) <= set(get_args(Role)), "each with the rights of `afspraakbericht rights`"
    units = {name for unit in UNITS for name in re.findall(r"KAFKA_USER=(\w+)", unit.read_text())}
    assert main(["rights"]) == 0
    granted = set(re.findall(r"--allow-principal User:(\S+) ", capsys.readouterr().out))
    assert set(users.values()) | units <= granted, "the script gives the rights to those very users"
    assert systemd_secrets("afspraakbericht@.service") == SENDING | both | {"bird_key"}
    assert systemd_secrets("afspraakbericht-retention.service") == {"kafka_password"}
    assert systemd_secrets("afspraakbericht-web.service") == ANSWERING | both
    assert systemd_secrets("afspraakbericht-mllp.service") == {"kafka_password"}
    assert {name: set(one.get("secrets", ())) for name, one in COMPOSE.items() if "kafka" not in name} == {
        "topics": set(),
        **{f"worker-{number}": SENDING | {"unsubscribe_keys"} for number in (1, 2, 3)},
        "web": ANSWERING | {"unsubscribe_keys", "accounts", "api_keys", "web_database"},
        "retention": set(),
        "postgres": {"postgres_password", "grafana_database_password"},
        "alertmanager": {"alertmanager_smtp_password"},
        "mllp": LISTENING,
        "proxy": {"tls_certificate", "tls_key"},
        "prometheus": set(),
        "grafana": {"grafana_password", "grafana_database_password"},
    }


def test_no_container_names_a_secret_that_it_does_not_have() -> None:
    for name, one in COMPOSE.items():
        wanted = set(re.findall(r"/run/secrets/(\w+)", json.dumps(one.get("environment", {}))))
        assert wanted <= set(one.get("secrets", ())), name


def test_every_container_of_compose_is_without_privileges() -> None:
    bare = {name for name, one in COMPOSE.items() if one.get("cap_drop") != ["ALL"]}
    may_gain = {name for name, one in COMPOSE.items() if one.get("security_opt") != ["no-new-privileges:true"]}
    writable = {name for name, one in COMPOSE.items() if not one.get("read_only")}

    assert (bare, may_gain) == (set(), set())
    assert writable == {"kafka-1", "kafka-2", "kafka-3"}, "that image writes its configuration beside its programs"


def test_grafana_has_no_password_that_everybody_knows() -> None:
    given = COMPOSE["grafana"]["environment"]

    assert given["GF_SECURITY_ADMIN_PASSWORD__FILE"] == "/run/secrets/grafana_password"
    assert given["GF_USERS_ALLOW_SIGN_UP"] == "false"


def test_images_of_others_have_an_exact_version() -> None:
    images = {one["image"] for one in COMPOSE.values() if not one["image"].startswith("afspraakbericht:")}

    assert {image for image in images if not re.search(r":v?\d+\.\d+(\.\d+)?(-[a-z]+)?$", image)} == set()


def test_no_pod_may_fill_its_nodes_disk() -> None:
    for name, pod in pods().items():
        for container in pod["spec"]["containers"]:
            assert "ephemeral-storage" in container["resources"]["limits"], name
            assert "ephemeral-storage" in container["resources"]["requests"], name
        empty = [one["emptyDir"] for one in pod["spec"]["volumes"] if "emptyDir" in one]
        assert all("sizeLimit" in one for one in empty), name


def test_a_pod_speaks_with_nobody_who_is_not_named() -> None:
    policies = {one["metadata"]["name"]: one["spec"] for one in documents() if one["kind"] == "NetworkPolicy"}
    ways = {
        name: [sorted(port["port"] for port in rule["ports"]) for rule in one.get("egress", ())] for name, one in policies.items()
    }

    assert policies["afspraakbericht-deny"] == {
        "podSelector": {}, "policyTypes": ["Ingress", "Egress"],
    }  # fmt: skip
    assert policies.pop("afspraakbericht-web-mail")["policyTypes"] == ["Egress"], "it adds to what the web may"
    assert all(one["policyTypes"] == ["Ingress", "Egress"] for one in policies.values())
    assert ways["afspraakbericht-jobs"] == [[53, 53], [9093]]
    assert ways["afspraakbericht-web"] == [[53, 53], [9093], [443], [5432]]
    assert ways["afspraakbericht-mllp"] == [[53, 53], [9093]]
    assert ways["afspraakbericht-worker"] == [[53, 53], [9093], [443], [25, 465, 587]]


def test_the_narrower_ways_out_of_the_comment_are_those_of_the_policy() -> None:
    """`egress/2` and `egress/3` are the places in the list."""
    text = (DEPLOY / "kubernetes/overlays/production/kustomization.yaml").read_text()
    patch = yaml.safe_load("\n".join(line.removeprefix("# ") for line in text.split("are known:\n")[1].splitlines()))
    changes = yaml.safe_load(patch[0]["patch"])
    (worker,) = (
        one for one in documents() if one["metadata"]["name"] == "afspraakbericht-worker" and one["kind"] == "NetworkPolicy"
    )

    assert patch[0]["target"] == {"kind": "NetworkPolicy", "name": "afspraakbericht-worker"}
    assert [one["path"] for one in changes] == ["/spec/egress/2/to", "/spec/egress/3/to"]
    assert ["ipBlock" in rule["to"][0] for rule in worker["spec"]["egress"]] == [False, False, True, True]

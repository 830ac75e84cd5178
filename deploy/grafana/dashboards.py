"""The Grafana dashboards as tables: a row of panels a line of thought, a panel a title, a unit and its queries.

`python deploy/grafana/dashboards.py` writes the JSON files anew; a test holds that they are as written here.

service.json and channels.json ask Prometheus. Its series know no organisation, so organisation.json asks the projection that the
web keeps (`web_database`, PostgreSQL): counts and money of one organisation and local day, no client and no text.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
A = "afspraakbericht_"
CHOSEN = 'application=~"$application",environment=~"$environment"'
SERIES = re.compile(r"\b((?:afspraakbericht[_:]|process_)[a-z0-9_:]+|ALERTS|up)\b(?:\{([^}]*)\})?")
"""A series in a query, and what it is narrowed down to."""

Panel = tuple[str, str, str, list[tuple[str, str]]]
"""Kind, title, unit (Grafana's word), and (query, legend) pairs."""


def rate(metric: str, by: str, match: str = "") -> str:
    """Per second, summed over the workers."""
    return f"sum by ({by}) (rate({A}{metric}{{{match}}}[$__rate_interval]))"


def added(metric: str, by: str, match: str = "") -> str:
    """In the time that the dashboard shows."""
    return f"sum by ({by}) (increase({A}{metric}{{{match}}}[$__range]))"


def within(seconds: str, metric: str, by: str = "") -> str:
    """Return the share of a histogram that lies at or below a bound, one of its buckets."""
    group = f" by ({by})" if by else ""
    return (
        f'sum{group} (rate({A}{metric}_bucket{{le="{seconds}"}}[$__rate_interval])) '
        f"/ sum{group} (rate({A}{metric}_count[$__rate_interval]))"
    )


def burnt(window: str) -> str:
    """Return how many times faster than allowed the promise's budget was spent; 1: it lasts just as long as it must."""
    return f"sum (afspraakbericht:calls_slow:increase{window}) / sum (afspraakbericht:calls:increase{window}) / 0.05"


def quantile(share: float, metric: str, by: str) -> str:
    """Return a quantile, as near as the buckets are."""
    return f"histogram_quantile({share}, sum by (le, {by}) (rate({A}{metric}_bucket[$__rate_interval])))"


SERVICE: list[tuple[str, list[Panel]]] = [
    (
        "The promise: 95 % reaches the provider within 10 s of its event, its window not counted",
        [
            ("stat", "Within 10 s", "percentunit", [(within("10.0", "call_delay_seconds"), "all")]),
            ("stat", "Budget left of 30 days", "percentunit", [(f"1 - {burnt('30d')}", "left")]),
            ("stat", "Alerts", "short", [('count(ALERTS{alertstate="firing"}) or vector(0)', "firing")]),
            ("stat", "Partitions without worker", "short", [(f"max({A}partitions) - sum({A}partitions_assigned)", "missing")]),
            (
                "timeseries",
                "Event to provider, 95 %",
                "s",
                [(quantile(0.95, "call_delay_seconds", "channel, reason"), "{{channel}} {{reason}}")],
            ),
            (
                "timeseries",
                "Budget burnt, times as fast as allowed",
                "short",
                [(burnt(window), f"of {window}") for window in ("1h", "6h", "1d", "3d")],
            ),
            ("timeseries", "Due until handled, 95 %", "s", [(quantile(0.95, "moment_delay_seconds", "kind"), "{{kind}}")]),
        ],
    ),
    (
        "In",
        [
            ("timeseries", "Events a second", "short", [(rate("events_total", "topic"), "{{topic}}")]),
            ("timeseries", "Set aside a second", "short", [(rate("events_refused_total", "topic"), "{{topic}}")]),
            (
                "timeseries",
                "Odd in upstream's events, an hour",
                "short",
                [
                    (f"sum (increase({A}appointments_contradictory_total[1h]))", "same revision, other content"),
                    (f"sum by (became) (increase({A}agenda_doubts_total[1h]))", "missing in a snapshot: {{became}}"),
                    (f"sum by (became) (increase({A}agenda_snapshots_total[1h]))", "snapshots of agendas: {{became}}"),
                    (f"sum by (did) (increase({A}holds_total[1h])) / on () group_left () max({A}partitions)", "hold: {{did}}"),
                    (f"sum by (answer) (increase({A}holds_urgent_total[1h]))", "urgent in a hold: {{answer}}"),
                    (f"sum by (sign) (increase({A}addresses_left_out_total[1h]))", "place is an address: {{sign}}"),
                    (f"sum (increase({A}channels_unknown_total[1h]))", "unknown channel"),
                    (f"sum by (topic) (increase({A}events_stale_total[1h]))", "older than what is known: {{topic}}"),
                ],
            ),
            (
                "timeseries",
                "FHIR and HL7 v2 a second",
                "short",
                [
                    (rate("events_translated_total", "topic"), "{{topic}}: translated"),
                    (rate("events_ignored_total", "topic, reason"), "{{topic}}: ignored, {{reason}}"),
                    (rate("mllp_messages_total", "answer"), "MLLP: answered {{answer}}"),
                ],
            ),
            (
                "timeseries",
                "MLLP connections",
                "short",
                [
                    (f"sum ({A}mllp_connections)", "open"),
                    (f"sum by (reason) (increase({A}mllp_connections_closed_total[1h]))", "closed in an hour: {{reason}}"),
                ],
            ),
            ("timeseries", "Records not handled yet", "short", [(f"sum by (topic) ({A}topic_lag_records)", "{{topic}}")]),
            (
                "timeseries",
                "Deleted before they were read, an hour",
                "short",
                [(f"sum by (topic) (increase({A}records_lost_total[1h]))", "{{topic}}")],
            ),
            (
                "timeseries",
                "Partitions read anew, an hour",
                "short",
                [(f"sum by (topic) (increase({A}topics_read_anew_total[1h]))", "{{topic}}")],
            ),
            ("timeseries", "Since a broker answered", "s", [(f"max by (instance) ({A}broker_silent_seconds)", "{{instance}}")]),
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
            (
                "timeseries",
                "Reminders by their place among those of a day, a second",
                "short",
                [(rate("reminders_decided_total", "place, fate"), "{{place}} {{fate}}")],
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
            (
                "timeseries",
                "Too much of one client",
                "short",
                [
                    (f"sum by (cap) (increase({A}events_capped_total[$__rate_interval]))", "set aside, {{cap}}"),
                    (f"sum(increase({A}rows_large_total[$__rate_interval]))", "large rows written"),
                ],
            ),
            (
                "timeseries",
                "Too large for their topic",
                "short",
                [(f"sum by (topic) (increase({A}outputs_set_aside_total[$__rate_interval]))", "{{topic}}")],
            ),
            ("table", "Builds", "short", [(f"count by (version, revision, python, faust, tzdata) ({A}build_info)", "")]),
        ],
    ),
    (
        "Web",
        [
            (
                "timeseries",
                "Requests a second",
                "short",
                [(rate("web_requests_total", "route, status"), "{{route}} {{status}}")],
            ),
            ("timeseries", "Requests, 95 %", "s", [(quantile(0.95, "web_request_seconds", "route"), "{{route}}")]),
            (
                "timeseries",
                "Refused",
                "short",
                [
                    (
                        f"sum by (provider) (increase({A}web_signatures_refused_total[$__rate_interval]))",
                        "signature, {{provider}}",
                    ),
                    (f"sum by (way) (increase({A}web_sign_ins_refused_total[$__rate_interval]))", "sign-in, {{way}}"),
                    (f"sum(increase({A}web_api_keys_refused_total[$__rate_interval]))", "API key"),
                    (f"sum by (what) (increase({A}web_tokens_unknown_total[$__rate_interval]))", "{{what}}"),
                ],
            ),
            (
                "timeseries",
                "Until Kafka has it",
                "s",
                [
                    (f"histogram_quantile(0.95, sum by (le) (rate({A}web_publish_seconds_bucket[$__rate_interval])))", "95 %"),
                    (f"sum(increase({A}web_publish_failures_total[$__rate_interval]))", "not acknowledged"),
                ],
            ),
            (
                "timeseries",
                "Overview",
                "s",
                [
                    (f"{A}projection_lag_seconds", "{{instance}} behind"),
                    (f"{A}projection_age_seconds", "{{instance}} since both answered"),
                ],
            ),
            (
                "timeseries",
                "Unusually many messages",
                "short",
                [
                    (f"max({A}organisations_busy)", "organisations"),
                    (f"sum by (outcome) (increase({A}alert_mails_total[1h]))", "told by e-mail: {{outcome}}"),
                ],
            ),
            (
                "timeseries",
                "Taken into the overview",
                "short",
                [
                    (rate("projection_records_total", "topic"), "{{topic}} a second"),
                    (f"sum by (topic) (increase({A}projection_skipped_total[$__rate_interval]))", "set aside, {{topic}}"),
                    (f"sum by (cause) (increase({A}projection_waits_total[$__rate_interval]))", "waits, {{cause}}"),
                ],
            ),
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
                "Messages that landed, and that were asked for, a second",
                "short",
                [(rate("flights_landed_total", "became"), "{{became}}"), (rate("flights_asked_total", "job"), "asked for")],
            ),
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
    """Return the same panels with SQL instead of PromQL, and an organisation and a day to choose."""
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


def of_prometheus(made: dict[str, Any]) -> dict[str, Any]:
    """Return a dashboard with an application and an environment to choose, in every query."""
    for panel in made["panels"]:
        for target in panel.get("targets", ()):
            target["expr"] = SERIES.sub(_narrowed, target["expr"])
    source = {"type": "prometheus", "uid": "${datasource}"}
    made["templating"]["list"] += [
        {
            "name": name, "type": "query", "datasource": source, "query": f"label_values({A}build_info, {name})", "refresh": 2,
            "includeAll": True, "allValue": ".*", "multi": True,
        }
        for name in ("application", "environment")
    ]  # fmt: skip
    return made


def _narrowed(found: re.Match[str]) -> str:
    return f"{found[1]}{{{CHOSEN}{',' if found[2] else ''}{found[2] or ''}}}"


def dashboard(uid: str, title: str, rows: list[tuple[str, list[Panel]]], since: str) -> dict[str, Any]:
    """Return the JSON that Grafana imports."""
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
        "service.json": of_prometheus(dashboard("afspraakbericht", "Afspraakbericht: the service", SERVICE, "now-6h")),
        "channels.json": of_prometheus(dashboard("afspraakbericht-day", "Afspraakbericht: a day by channel", CHANNELS, "now/d")),
        "organisation.json": by_organisation(),
    }
    return {name: json.dumps(one, indent=1, ensure_ascii=False) + "\n" for name, one in made.items()}


if __name__ == "__main__":
    for name, text in files().items():
        (HERE / name).write_text(text)

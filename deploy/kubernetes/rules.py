"""Write `components/monitoring/rules.yaml`, the groups of `deploy/alerts.yaml` as a PrometheusRule. `make manifests` runs it."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent
HEAD = """\
# deploy/alerts.yaml for the Prometheus operator; written by `make manifests`.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: { name: afspraakbericht, labels: { app: afspraakbericht } }
spec:
"""


def text() -> str:
    """Return the file."""
    groups = (HERE.parent / "alerts.yaml").read_text(encoding="utf-8")
    return HEAD + "".join(f"  {line}" if line.strip() else line for line in groups.splitlines(keepends=True))


if __name__ == "__main__":
    (HERE / "components" / "monitoring" / "rules.yaml").write_text(text(), encoding="utf-8")

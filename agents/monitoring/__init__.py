"""Tell how a process fares: metrics for Prometheus, health, readiness."""

"""Traces, metrics and logs of a service: OpenTelemetry, Prometheus and structured logging."""

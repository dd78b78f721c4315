"""What Prometheus reads."""

from prometheus_client import REGISTRY

from chassis.telemetry.metrics import Counter, Histogram, gauge


def test_a_histogram_accumulates_its_buckets() -> None:
    histogram = Histogram("sample_seconds", "A sample.", ("method",))
    for seconds in (0.0004, 0.002, 0.002, 99):
        histogram.observe(("m",), seconds)
    label = {"method": "m"}
    assert REGISTRY.get_sample_value("sample_seconds_bucket", label | {"le": "0.0005"}) == 1
    assert REGISTRY.get_sample_value("sample_seconds_bucket", label | {"le": "0.0025"}) == 3
    assert REGISTRY.get_sample_value("sample_seconds_bucket", label | {"le": "30.0"}) == 3
    assert REGISTRY.get_sample_value("sample_seconds_bucket", label | {"le": "+Inf"}) == 4
    assert REGISTRY.get_sample_value("sample_seconds_sum", label) == 99.0044


def test_a_counter_counts_by_label() -> None:
    counter = Counter("sample_events", "Samples.", ("consumer",))
    counter.add(("a",))
    counter.add(("a",), 4)
    counter.add(("b",))
    assert REGISTRY.get_sample_value("sample_events_total", {"consumer": "a"}) == 5
    assert REGISTRY.get_sample_value("sample_events_total", {"consumer": "b"}) == 1


def test_a_gauge_is_read_when_asked_and_replaced_when_registered_again() -> None:
    gauge("sample_depth", "Depth.", lambda: 3, consumer="a")
    gauge("sample_depth", "Depth.", lambda: 4, consumer="b")
    gauge("sample_depth", "Depth.", lambda: 5, consumer="b")
    assert REGISTRY.get_sample_value("sample_depth", {"consumer": "a"}) == 3
    assert REGISTRY.get_sample_value("sample_depth", {"consumer": "b"}) == 5

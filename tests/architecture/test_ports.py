"""Services that are installed together listen on one machine."""

from collections import Counter

from rapport_testing.engines.ports import HTTP_OFFSET
from rapport_tools.local.installed import load_services


def test_every_service_has_ports_of_its_own() -> None:
    services = load_services()
    ports = [
        port for each in services for port in (each.port, each.port + HTTP_OFFSET, each.web_port or each.name)
    ]
    assert [port for port, count in Counter(ports).items() if count > 1] == []

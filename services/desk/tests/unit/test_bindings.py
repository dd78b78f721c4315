from collections import Counter

from google.api import annotations_pb2

from chassis.contracts import contracts
from desk.edge.bindings import bindings

ALL = bindings()


def annotated() -> list[tuple[str, str, str]]:
    """The method, verb and path of every annotation of every contract, in another way than the edge does."""
    found = {}
    for module in contracts():
        for service in module.DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                rule = method.GetOptions().Extensions[annotations_pb2.http]
                for each in [rule, *rule.additional_bindings]:
                    ((kind, path),) = [
                        (f.name, v)
                        for f, v in each.ListFields()
                        if f.name not in ("body", "additional_bindings")
                    ]
                    found[method.full_name, kind.upper(), path] = None
    return list(found)


def test_every_annotation_is_a_route_and_every_route_an_annotation() -> None:
    routes = [(each.method.full_name, each.verb, each.path) for each in ALL]
    assert sorted(routes) == sorted(annotated())


def test_every_rpc_is_reached() -> None:
    rpcs = {
        method.full_name
        for module in contracts()
        for service in module.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    }
    assert {each.method.full_name for each in ALL} == rpcs


def test_no_two_routes_answer_one_url() -> None:
    urls = []
    for each in ALL:
        path = each.path
        for name, pattern in each.variables.items():
            path = path.replace(f"{{{name}={pattern}}}", pattern.replace("*", "x1"))
        urls.append((each.verb, path))
        matches = [other for other in ALL if other.verb == each.verb and other.regex.fullmatch(path)]
        assert matches == [each], path
    assert [url for url, count in Counter(urls).items() if count > 1] == []


def test_an_operation_is_answered_by_the_service_in_its_path_and_all_else_by_that_of_its_contract() -> None:
    by_name = {each.method.name: each for each in ALL}
    assert by_name["ListTimers"].service("/v1/services/loyalty/timers") == "loyalty"
    assert by_name["GetCustomer"].service("/v1/customers/x1") == "customer"

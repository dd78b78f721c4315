import re

from openapi_spec_validator import OpenAPIV31SpecValidator

from desk.edge.bindings import bindings
from desk.edge.openapi import description

TOLD = description()


def test_it_is_a_valid_description() -> None:
    OpenAPIV31SpecValidator(TOLD).validate()


def test_it_has_an_operation_for_every_route_and_no_other() -> None:
    described = {
        (verb.upper(), re.sub(r"\{\w+\}", "*", path)) for path, item in TOLD["paths"].items() for verb in item
    }
    routes = {(each.verb, re.sub(r"\{[a-z_.]+=([^}]+)\}", r"\1", each.path)) for each in bindings()}
    assert described == routes


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [operation["operationId"] for item in TOLD["paths"].values() for operation in item.values()]
    assert len(names) == len(set(names)) == len(bindings())

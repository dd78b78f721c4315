import re
from copy import deepcopy

from openapi_spec_validator import OpenAPIV31SpecValidator

from desk.edge.bindings import bindings
from desk.edge.openapi import description

TOLD = description()


def test_it_is_a_valid_description() -> None:
    told = deepcopy(TOLD)
    first, *others = [operation for item in told["paths"].values() for operation in item.values()]
    for each in others:  # what is the same of each is looked at once, which takes half as long
        assert each["responses"].pop("4XX") == each["responses"].pop("default") == first["responses"]["4XX"]
    OpenAPIV31SpecValidator(told).validate()


def test_it_has_an_operation_for_every_route_and_no_other() -> None:
    described = {
        (verb.upper(), re.sub(r"\{\w+\}", "*", path)) for path, item in TOLD["paths"].items() for verb in item
    }
    routes = {(each.verb, re.sub(r"\{[a-z_.]+=([^}]+)\}", r"\1", each.path)) for each in bindings()}
    assert described == routes


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [operation["operationId"] for item in TOLD["paths"].values() for operation in item.values()]
    assert len(names) == len(set(names)) == len(bindings())


def test_an_etag_is_asked_for_where_something_is_changed_and_not_where_it_is_made() -> None:
    customers = TOLD["paths"]["/v1/customers"], TOLD["paths"]["/v1/customers/{customers}"]
    create, update = customers[0]["post"], customers[1]["patch"]
    assert "If-Match" not in {each.get("name") for each in create["parameters"]}
    assert "If-Match" in {each.get("name") for each in update["parameters"]}


def test_every_operation_says_what_a_refusal_looks_like_and_where_it_is() -> None:
    assert TOLD["servers"] == [{"url": "/"}]
    for item in TOLD["paths"].values():
        for operation in item.values():
            assert operation["responses"]["4XX"] == operation["responses"]["default"]


def test_what_the_contracts_say_is_in_it() -> None:
    operation = TOLD["paths"]["/v1/customers:resolve"]["post"]
    assert (
        operation["summary"]
        == "Finds the customer a handle belongs to, creating one when asked to and none exists"
    )
    assert operation["description"].endswith("Needs the permission `customer.customers.resolve`.")
    assert operation["security"] == [{"bearer": ["customer.customers.resolve"]}]
    schemas = TOLD["components"]["schemas"]
    asked = schemas["rapport.customer.v1.ResolveCustomerRequest"]["properties"]
    assert asked["identifier"]["description"] == "The handle.\n\nRequired."
    assert "Needs the permission `customer.customers.write`, too." in asked["newCustomer"]["description"]
    assert "- `TYPE_EMAIL`: " in schemas["rapport.customer.v1.Identifier.Type"]["description"]


def test_everything_is_described_but_well_known_types_and_what_contracts_take_from_google() -> None:
    silent = [
        name
        for name, schema in TOLD["components"]["schemas"].items()
        if name.startswith("rapport.") and "description" not in schema
    ]
    silent += [
        operation["operationId"]
        for item in TOLD["paths"].values()
        for operation in item.values()
        if operation["description"].startswith("Needs")
    ]
    assert silent == []
    assert all("description" in each for each in TOLD["tags"])

"""The examples of deploy/examples name every service, and what CloudNativePG knows.

Its kinds are written down here as far as they are used, closed against anything else, after the
CustomResourceDefinitions of github.com/cloudnative-pg/cloudnative-pg 1.25 (Apache-2.0).
"""

from typing import Any

import jsonschema
import yaml

from deploy.services import SERVICES
from tests.charts.conftest import ROOT

FOLDER = ROOT / "deploy" / "examples"


def closed(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [*properties],
        "properties": properties,
    }


NAME = closed(name={"type": "string"})
COUNT = {"type": "integer", "minimum": 1}
AMOUNTS = {"type": "object", "additionalProperties": {"type": "string"}}
SPECS = {
    "Cluster": closed(
        instances=COUNT,
        storage=closed(size={"type": "string", "pattern": "^[0-9]+Gi$"}),
        postgresql=closed(
            synchronous=closed(method={"enum": ["any", "first"]}, number=COUNT),
            parameters={"type": "object", "additionalProperties": {"type": "string"}},
        ),
        resources=closed(requests=AMOUNTS, limits=AMOUNTS),
        managed=closed(
            roles={
                "type": "array",
                "items": closed(
                    name={"type": "string"},
                    ensure={"enum": ["present", "absent"]},
                    login={"type": "boolean"},
                    passwordSecret=NAME,
                ),
            }
        ),
    ),
    "Database": closed(name={"type": "string"}, owner={"type": "string"}, cluster=NAME),
}
OBJECTS = list(yaml.safe_load_all((FOLDER / "postgresql.yaml").read_text()))


def test_cloudnativepg_knows_what_it_is_told() -> None:
    for each in OBJECTS:
        whole = closed(
            apiVersion={"const": "postgresql.cnpg.io/v1"},
            kind={"const": each["kind"]},
            metadata=NAME,
            spec=SPECS[each["kind"]],
        )
        jsonschema.validate(each, whole)


def test_every_service_has_a_database_an_owner_and_a_role_that_serves() -> None:
    cluster, *databases = OBJECTS
    roles = [each["name"] for each in cluster["spec"]["managed"]["roles"]]
    assert sorted(roles) == sorted(role for name in SERVICES for role in (name, f"{name}_owner"))
    found = [(each["spec"]["name"], each["spec"]["owner"]) for each in databases]
    assert sorted(found) == sorted((name, f"{name}_owner") for name in SERVICES)
    assert {each["spec"]["cluster"]["name"] for each in databases} == {cluster["metadata"]["name"]}
    assert cluster["spec"]["instances"] > cluster["spec"]["postgresql"]["synchronous"]["number"]


def test_nobody_but_its_two_roles_connects_to_a_database() -> None:
    sql = (FOLDER / "postgresql.sql").read_text()
    for name in SERVICES:
        assert (
            f"REVOKE ALL ON DATABASE {name} FROM PUBLIC;\nGRANT CONNECT ON DATABASE {name} TO {name};" in sql
        )
    assert "REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC;" in sql

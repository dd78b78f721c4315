"""The description of the REST edge for people: the services, and a page for each with what it answers."""

import json
import re
import shlex
from collections.abc import Iterator
from typing import Any

from jinja2 import Environment, PackageLoader
from starlette.requests import Request
from starlette.responses import Response

from desk.edge import openapi, problems
from desk.edge.webhooks.kinds import KINDS

PATH = "/openapi"
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}
_SCHEMAS = "#/components/schemas/"
_EXAMPLES = {"integer": 1, "number": 1.5, "boolean": True, "object": {}}
_OF_FORMAT = {"date-time": "2026-01-31T12:00:00Z", "int64": "1", "byte": "AA=="}
_TEMPLATES = Environment(
    loader=PackageLoader("desk.edge", ""), autoescape=True, trim_blocks=True, lstrip_blocks=True
)


def answer(request: Request) -> Response:
    """The page of a path, to whoever asks: it holds no more than the contracts do."""
    description = openapi.description()
    service = request.url.path.removeprefix(PATH).removeprefix("/")
    tags = {each["name"]: each for each in description["tags"]}
    if service and service not in tags:
        return problems.answer(problems.PathNotFound(), "", HEADERS)
    every = _operations(description, str(request.base_url))
    operations = [each for each in every if service in each["told"]["tags"]]
    schemas = description["components"]["schemas"]
    shown = {name: schemas[name] for name in _reached(operations, schemas)}
    written = _TEMPLATES.get_template("page.html").render(
        path=PATH,
        tags=tags.values(),
        service=tags.get(service),
        operations=operations,
        schemas=shown,
        headers=description["components"]["parameters"].values(),
        webhooks=sorted(KINDS),
        own=own,
        kind=kind,
        blocks=blocks,
    )
    return Response(written, 200, HEADERS, "text/html")


def own(told: dict[str, Any]) -> list[dict[str, Any]]:
    """The parameters of an operation but for those that all have."""
    return [each for each in told["parameters"] if "$ref" not in each]


def kind(schema: dict[str, Any]) -> tuple[str, str]:
    """What a value is, in a word, and the schema that says more; empty for none."""
    if "$ref" in schema:
        return "", _name(schema)
    if schema.get("type") == "array":
        word, name = kind(schema["items"])
        return f"list of {word}", name
    if "additionalProperties" in schema:
        word, name = kind(schema["additionalProperties"])
        return f"object of {word}", name
    return schema.get("format") or schema.get("type", "any"), ""


def blocks(text: str) -> Iterator[tuple[str, list[str]]]:
    """A comment of a contract as paragraphs, each with the items of the list below it."""
    for block in text.split("\n\n"):
        paragraph, *items = re.split(r"(?:^|\n)- ", block)
        yield paragraph, items


def _operations(description: dict[str, Any], base: str) -> Iterator[dict[str, Any]]:
    schemas = description["components"]["schemas"]
    for path, item in description["paths"].items():
        for verb, told in item.items():
            (body,) = told.get("requestBody", {"content": {"": {"schema": {}}}})["content"].values()
            (content,) = told["responses"]["200"]["content"].values()
            takes, answers = _name(body["schema"]), _name(content["schema"])
            example = takes and _example(body["schema"], schemas)
            curl = _curl(verb.upper(), base.rstrip("/") + path, told, example)
            operation = {"verb": verb.upper(), "path": path, "told": told, "curl": curl}
            yield {**operation, "takes": takes, "answers": answers}  # the names of schemas; empty for none


def _curl(verb: str, url: str, told: dict[str, Any], body: Any) -> str:
    asked = [each["name"] for each in own(told) if each["in"] == "query" and each["required"]]
    url += "?" * bool(asked) + "&".join(f"{each}=..." for each in asked)
    lines = [f"curl -X {verb} {shlex.quote(url)}", '-H "authorization: Bearer $TOKEN"']
    if body != "":
        lines += ["-H 'content-type: application/json'", f"-d {shlex.quote(json.dumps(body))}"]
    return " \\\n  ".join(lines)


def _example(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """What must be said, at least."""
    schema = schemas.get(_name(schema), schema)
    if "enum" in schema:
        return schema["enum"][-1]
    if schema.get("type") == "array":
        return [_example(schema["items"], schemas)]
    if "properties" in schema:
        return {
            name: _example(each, schemas)
            for name, each in schema["properties"].items()
            if each.get("description", "").endswith("Required.")
        }
    return _OF_FORMAT.get(schema.get("format", ""), _EXAMPLES.get(schema.get("type", "object"), "..."))


def _reached(operations: list[dict[str, Any]], schemas: dict[str, Any]) -> list[str]:
    """The schemas that operations take and answer, and all that is in them."""
    reached: dict[str, None] = {}
    ahead = [name for each in operations for name in (each["takes"], each["answers"]) if name]
    ahead += [name for each in operations for told in own(each["told"]) if (name := kind(told["schema"])[1])]
    while ahead:
        if (name := ahead.pop()) not in reached:
            reached[name] = None
            ahead += [
                inner for each in schemas[name].get("properties", {}).values() if (inner := kind(each)[1])
            ]
    return sorted(reached)


def _name(schema: dict[str, Any]) -> str:
    return str(schema.get("$ref", "")).removeprefix(_SCHEMAS)

import asyncio
import contextlib
import gzip
import threading
from uuid import uuid4

import httpx
import pytest
from prometheus_client import REGISTRY

from desk.edge.rest import AT_ONCE_BYTES, Rest
from rapport_testing.wait import eventually

pytestmark = pytest.mark.together


@pytest.fixture
async def erika(alice: httpx.AsyncClient) -> dict:
    answer = await alice.post("/v1/customers", json={"displayName": "Erika Sommer"})
    assert answer.status_code == 200, answer.text
    return answer.json()


def problem(answer: httpx.Response, status: int, reason: str) -> dict:
    told = answer.json()
    assert (answer.status_code, told.get("reason")) == (status, reason), told
    assert answer.headers["content-type"] == "application/problem+json"
    assert (told["status"], told["type"]) == (status, f"urn:rapport:reason:{reason}")
    assert told["trace_id"] == answer.headers["traceparent"].split("-")[1]
    return told


async def test_a_customer_is_made_read_listed_and_changed(alice, erika) -> None:
    read = await alice.get(f"/v1/{erika['name']}")
    assert read.json() == erika
    assert read.headers["etag"] == erika["etag"]
    listed = await alice.get("/v1/customers", params={"pageSize": 5})
    assert [each["name"] for each in listed.json()["customers"]] == [erika["name"]]
    changed = await alice.patch(
        f"/v1/{erika['name']}",
        params={"updateMask": "displayName"},
        json={"displayName": "Erika Winter"},
        headers={"if-match": erika["etag"]},
    )
    assert changed.json()["displayName"] == "Erika Winter"
    assert changed.headers["etag"] != erika["etag"]
    token = changed.headers["consistency-token"]
    view = await alice.get(f"/v1/{erika['name']}/view", params={"consistencyToken": token})
    assert view.json()["displayName"] == "Erika Winter"


async def test_a_change_of_what_somebody_changed_since_is_refused(alice, erika) -> None:
    async def rename(name: str, etag: str) -> httpx.Response:
        return await alice.patch(
            f"/v1/{erika['name']}?updateMask=displayName",
            json={"displayName": name},
            headers={"if-match": etag},
        )

    assert (await rename("Erika Winter", erika["etag"])).status_code == 200
    told = problem(await rename("Erika Herbst", erika["etag"]), 412, "ETAG_MISMATCH")
    assert told["metadata"]["resource"] == erika["name"]
    assert (await rename("Erika Herbst", "*")).status_code == 200
    problem(await rename("Erika Herbst", 'W/"1"'), 400, "INVALID_ETAG")
    refused = await alice.get("/v1/customers", headers={"if-match": erika["etag"]})
    problem(refused, 400, "INVALID_ETAG")


@pytest.mark.alone("what was made is counted")
@pytest.mark.parametrize("key", ["2f1f9f0e-7a3c-4a63-9d6c-3f1f5b5d8a11", "order 4711, once"])
async def test_a_change_with_the_same_key_is_made_once(alice, key) -> None:
    async def create(name: str) -> httpx.Response:
        return await alice.post("/v1/customers", json={"displayName": name}, headers={"idempotency-key": key})

    first, again = await create("Ada"), await create("Ada")
    assert again.json() == first.json()
    problem(await create("Eva"), 400, "REQUEST_ID_REUSED")
    assert len((await alice.get("/v1/customers")).json()["customers"]) == 1


async def test_nobody_is_answered_who_does_not_say_who_they_are(desk) -> None:
    async with httpx.AsyncClient(base_url=desk.url, trust_env=False, verify=False) as nobody:
        for path in ("/v1/customers", "/v1/services/desk/timers", "/v1/nothing"):
            for verb in ("GET", "POST", "OPTIONS"):
                answer = await nobody.request(verb, path, headers={"origin": "https://elsewhere.example"})
                problem(answer, 401, "TOKEN_MISSING")
                assert answer.headers["www-authenticate"] == "Bearer"
                assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_whoever_asks_is_let_in_as_by_the_service_itself(desk, issuer) -> None:
    def get(token: str, **headers: str):
        said = {b"authorization": f"Bearer {token}".encode(), **headers}
        return desk.client().get("/v1/customers", headers=said)

    problem(await get("made-up"), 401, "TOKEN_INVALID")
    problem(await get(issuer.token(lifetime_s=-1000)), 401, "TOKEN_EXPIRED")
    problem(await get("é"), 401, "TOKEN_INVALID")
    problem(await get("a" * 20_000), 401, "TOKEN_INVALID")
    problem(await get(issuer.token(), **{"on-behalf-of": "Bearer x"}), 401, "TOKEN_INVALID")
    twice = [("authorization", f"Bearer {issuer.token()}")] * 2
    problem(await desk.client().get("/v1/customers", headers=twice), 401, "TOKEN_INVALID")
    denied = await get(issuer.token(permissions=["cases.cases.read"]))
    told = problem(denied, 403, "PERMISSION_DENIED")
    assert told["metadata"] == {"permission": "customer.customers.read"}


@pytest.mark.alone("what was made is counted")
async def test_the_audit_names_whoever_asked_and_what_for(desk, alice, erika) -> None:
    purpose = {"access-purpose": "complaint", "correlation-id": "call-7"}
    await alice.get(f"/v1/{erika['name']}", headers=purpose)
    async with desk.services["customer"].db.connection() as on:

        async def both() -> list:
            rows = await on.fetch("SELECT * FROM audit WHERE actor LIKE 'agent:%' ORDER BY id")
            return rows if len(rows) == 2 else []

        made, read = await eventually(both)
    assert [(row["actor"], row["via"], row["department"]) for row in (made, read)] == [
        ("agent:alice", "", "front-desk")
    ] * 2
    assert (read["purpose"], read["correlation_id"]) == ("complaint", "call-7")


async def test_what_is_not_there_is_not_found(alice) -> None:
    nobody = f"customers/{uuid4()}"
    told = problem(await alice.get(f"/v1/{nobody}"), 404, "RESOURCE_NOT_FOUND")
    assert told["metadata"]["resource"] == nobody
    problem(await alice.get("/v1/nothing"), 404, "PATH_NOT_FOUND")
    problem(await alice.get("/v1/services/nobody/timers"), 404, "PATH_NOT_FOUND")
    told = problem(await alice.put("/v1/customers"), 405, "METHOD_NOT_ALLOWED")
    assert told["metadata"] == {"allowed": "GET, HEAD, OPTIONS, POST"}


async def test_a_call_takes_no_longer_than_its_caller_waits(alice) -> None:
    in_time = await alice.get("/v1/customers", headers={"grpc-timeout": "5S"})
    assert in_time.status_code == 200
    problem(await alice.get("/v1/customers", headers={"grpc-timeout": "1m"}), 504, "DEADLINE_EXCEEDED")
    problem(await alice.get("/v1/customers", headers={"grpc-timeout": "5"}), 400, "INVALID_TIME")
    forever = await alice.get("/v1/customers", headers={"grpc-timeout": "99999999H"})
    assert forever.status_code == 200


async def test_a_service_that_is_away_is_said_to_be(alice) -> None:
    answer = await alice.get("/v1/programs", headers={"grpc-timeout": "1S"})
    told = problem(answer, 503, "DEPENDENCY_UNAVAILABLE")
    assert answer.headers["retry-after"] == "1"
    assert "127.0.0.1" not in answer.text
    assert told["code"] == "UNAVAILABLE"


async def test_operations_are_answered_by_the_service_in_the_path(alice) -> None:
    for name in ("customer", "desk"):
        backlog = await alice.get(f"/v1/services/{name}/backlog")
        assert backlog.json()["name"] == f"services/{name}/backlog"


BAD = [
    ("POST", "/v1/customers", {"content": b"{"}, 400, "MALFORMED_REQUEST"),
    ("POST", "/v1/customers", {"content": b"\xff\xfe"}, 400, "MALFORMED_REQUEST"),
    ("POST", "/v1/customers", {"content": b'{"a":' * 100_000}, 400, "MALFORMED_REQUEST"),
    ("POST", "/v1/customers", {"content": b"[" * 1_000_000}, 400, "MALFORMED_REQUEST"),
    ("POST", "/v1/customers", {"json": {"displayName": "a\0b"}}, 400, "INVALID_TEXT"),
    ("POST", "/v1/customers", {"json": {"displayName": "a" * 3_000_000}}, 400, "TOO_LONG"),
    ("POST", "/v1/customers", {"json": {"displayName": "a" * 5_000_000}}, 413, "BODY_TOO_LARGE"),
    ("POST", "/v1/customers", {"data": {"displayName": "a"}}, 415, "UNSUPPORTED_MEDIA_TYPE"),
    ("POST", "/v1/customers", {"files": {"displayName": b"a"}}, 415, "UNSUPPORTED_MEDIA_TYPE"),
    ("POST", "/v1/customers", {"content": gzip.compress(b"{}")}, 400, "MALFORMED_REQUEST"),
    ("GET", "/v1/customers?pageSize=1&pageSize=2", {}, 400, "MALFORMED_REQUEST"),
    ("GET", "/v1/customers?pageSize=%ff", {}, 400, "MALFORMED_REQUEST"),
    ("GET", "/v1/customers?" + "pageSize=1&" * 2000, {}, 400, "MALFORMED_REQUEST"),
    ("GET", "/v1/customers?pageSize=-1", {}, 400, "INVALID_PAGE_SIZE"),
    ("GET", "/v1/customers?pageToken=%00", {}, 400, "INVALID_TEXT"),
    ("GET", "/v1/customers/%00", {}, 400, "INVALID_TEXT"),
    ("GET", "/v1/customers/%ff", {}, 400, "INVALID_NAME"),
    ("GET", "/v1/customers/..%2f..", {}, 400, "INVALID_NAME"),
    ("GET", "/v1%2fcustomers", {}, 404, "PATH_NOT_FOUND"),
    ("POST", "/v1/customers%3Asearch", {"json": {"query": "ab"}}, 404, "PATH_NOT_FOUND"),
    ("GET", "/v1/customers/", {}, 404, "PATH_NOT_FOUND"),
    ("GET", "/v1/customers/a%0Ab", {}, 400, "INVALID_TEXT"),
    ("POST", "/openapi.json", {}, 404, "PATH_NOT_FOUND"),
    ("GET", "/v1/customers", {"headers": {b"access-purpose": "Ü".encode()}}, 400, "INVALID_CODE"),
    ("GET", "/v1/customers", {"headers": {"correlation-id": "a b"}}, 400, "INVALID_TEXT"),
    ("BREW", "/v1/customers", {}, 405, "METHOD_NOT_ALLOWED"),
]


async def test_bad_input_is_refused_with_a_reason(alice) -> None:
    for verb, url, how, status, reason in BAD:
        problem(await alice.request(verb, url, **how), status, reason)


async def test_a_head_is_as_a_get_without_a_body(alice, erika) -> None:
    url = f"/v1/{erika['name']}"
    got, headed = await alice.get(url), await alice.head(url)
    assert (headed.status_code, headed.content) == (200, b"")
    for name in ("etag", "content-length", "content-type"):
        assert headed.headers[name] == got.headers[name]
    assert (await alice.head("/v1/nothing")).status_code == 404
    assert (await alice.head(f"{url}/view:watch")).status_code == 405
    assert (await alice.head("/openapi.json")).status_code == 200


async def test_options_are_the_methods_that_a_path_takes(alice) -> None:
    answer = await alice.options("/v1/customers")
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS, POST"
    problem(await alice.options("/v1/nothing"), 404, "PATH_NOT_FOUND")


async def test_a_body_is_read_of_nobody_who_has_not_shown_who_they_are(desk) -> None:
    answer = await desk.client(token="made-up").post("/v1/customers", content=b"{" * 1_000_000)
    problem(answer, 401, "TOKEN_INVALID")


async def test_a_large_message_keeps_nobody_waiting(desk) -> None:
    rest = Rest(desk.running.app.forwarding, desk.running.app.verifier, 5, asyncio.Event())
    others = threading.Event()
    reading = asyncio.create_task(rest._do(AT_ONCE_BYTES + 1, others.wait, 20))
    await asyncio.sleep(0)
    others.set()
    assert await reading


async def test_a_body_that_does_not_end_is_not_read(alice) -> None:
    sent = 0

    async def endless():
        nonlocal sent
        while sent < 1_000_000_000:
            sent += 1_000_000
            yield b" " * 1_000_000

    with contextlib.suppress(httpx.NetworkError):  # the connection was closed before all was sent
        problem(await alice.post("/v1/customers", content=endless()), 413, "BODY_TOO_LARGE")
    assert sent < 100_000_000


async def test_whoever_leaves_in_the_middle_of_a_body_is_no_error(desk, alice, capfd) -> None:
    host, _, port = desk.url.removeprefix("http://").partition(":")
    token = alice.headers["authorization"]
    _, sent = await asyncio.open_connection(host, int(port))
    sent.write(f"POST /v1/customers HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n".encode())
    sent.write(b"Content-Length: 100\r\n\r\n{")
    await sent.drain()
    sent.close()
    labels = {"method": "rapport.customer.v1.CustomerService/CreateCustomer", "code": "CANCELLED"}
    await eventually(lambda: REGISTRY.get_sample_value("rpc_server_duration_seconds_count", labels))
    assert "failed" not in capfd.readouterr().out


async def test_one_trace_spans_the_request_and_what_the_service_did(alice, spans) -> None:
    trace = uuid4().hex
    answer = await alice.get(
        "/v1/customers?filter=secret", headers={"traceparent": f"00-{trace}-{'1' * 16}-01"}
    )
    assert answer.headers["traceparent"].split("-")[1] == trace
    named = [span.name for span in spans if f"{span.context.trace_id:032x}" == trace]
    method = "rapport.customer.v1.CustomerService/ListCustomers"
    assert named.count(method) == 3  # the request, the call, and the service's answer
    assert "secret" not in str([dict(span.attributes) for span in spans])


async def test_whoever_asks_gets_the_description(desk) -> None:
    async with httpx.AsyncClient(base_url=desk.url, trust_env=False, verify=False) as nobody:
        answer = await nobody.get("/openapi.json")
    assert (answer.status_code, answer.json()["openapi"]) == (200, "3.1.0")


async def test_what_is_asked_is_not_logged(alice, capfd, caplog) -> None:
    await alice.get("/v1/customers?filter=sommer")
    await alice.post("/v1/customers", content=b'{"displayName": "sommer')
    told = capfd.readouterr()
    assert "sommer" not in told.out + told.err + caplog.text

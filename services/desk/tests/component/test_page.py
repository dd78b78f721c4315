"""The description for people says what the one for programs does, and links lead somewhere."""

import re
from html.parser import HTMLParser

import httpx
import pytest

from desk.edge.webhooks.kinds import KINDS

pytestmark = pytest.mark.together


class Seen(HTMLParser):
    """What is on a page: tags with their attributes, and the words."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data


async def test_every_operation_and_every_type_is_on_the_page_of_its_service(alice) -> None:
    described = (await alice.get("/openapi.json")).json()
    async with httpx.AsyncClient(base_url=alice.base_url, trust_env=False, verify=False) as nobody:
        index = Seen((await nobody.get("/openapi")).text)
        links = [str(told["href"]) for tag, told in index.tags if tag == "a"]
        assert "POST /webhooks/{source}" in described["info"]["description"]
        assert all(kind in index.words for kind in ("POST /webhooks/{source}", *KINDS))
        for tag in described["tags"]:
            assert f"/openapi/{tag['name']}" in links
            page = Seen((await nobody.get(f"/openapi/{tag['name']}")).text)
            ids = [told["id"] for _, told in page.tags if "id" in told]
            assert len(ids) == len(set(ids))
            targets = {
                str(told["href"])[1:] for _, told in page.tags if str(told.get("href")).startswith("#")
            }
            assert targets <= set(ids)
            of_this = [
                operation
                for item in described["paths"].values()
                for operation in item.values()
                if tag["name"] in operation["tags"]
            ]
            assert {each["operationId"] for each in of_this} <= set(ids)
            for each in of_this:
                (permission,) = each["security"][0]["bearer"]
                assert f"Needs the permission {permission}." in page.words


async def test_no_page_has_anything_that_a_strict_policy_forbids(alice) -> None:
    for path in ("/openapi", "/openapi/CustomerService"):
        answer = await alice.get(path)
        assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'")
        assert answer.headers["content-type"].startswith("text/html")
        for tag, told in Seen(answer.text).tags:
            assert tag not in ("script", "style")
            assert not [name for name in told if name == "style" or name.startswith("on")]
            assert not re.match("https?:", told.get("href") or told.get("src") or "")


async def test_an_example_can_be_pasted(alice) -> None:
    page = Seen((await alice.get("/openapi/CustomerService")).text).words
    assert f"curl -X POST '{alice.base_url}/v1/customers:search'".replace("'", "") in page.replace("'", "")
    assert """-d '{"query": "..."}'""" in page


async def test_what_no_contract_has_has_no_page(alice) -> None:
    answer = await alice.get("/openapi/<script>")
    assert (answer.status_code, answer.json()["reason"]) == (404, "PATH_NOT_FOUND")
    assert (await alice.head("/openapi")).status_code == 200

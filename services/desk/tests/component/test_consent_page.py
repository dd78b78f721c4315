"""The calls of docs/consent.md, as they stand there and in their order."""

import json
import re
from pathlib import Path
from typing import Any

from customer.service import service as customer_service

PAGE = Path(__file__).parents[4] / "docs" / "consent.md"
CALL = re.compile(r"(GET|POST|PATCH) (/v1/\S+)(?:\n(\{.*?\n?\}))?(?=\n(?:GET|POST|PATCH)|\n?$)", re.DOTALL)


def calls() -> list[tuple[str, str, str]]:
    """Method, path and body of each."""
    blocks = re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return [call for block in blocks for call in CALL.findall(block)]


async def test_every_call_of_the_page_does_what_it_says(open_desk: Any) -> None:
    api = (await open_desk(customer_service)).client()
    said = {"displayName": "Erika", "identifiers": [{"type": "TYPE_EMAIL", "value": "erika@example.com"}]}
    customer = (await api.post("/v1/customers", json=said)).json()["name"].partition("/")[2]
    answers = {}
    for method, path, body in calls():
        url = path.replace("{customer}", customer)
        missing = await api.request(
            method, url.replace("allowMissing=true", ""), json=json.loads(body or "null")
        )
        if "allowMissing" in path:
            assert missing.status_code == 404
            assert "allow_missing" in missing.json()["detail"], missing.text
            missing = await api.request(method, url, json=json.loads(body))
        assert missing.is_success, (path, missing.text)
        answers[method, path] = missing.json()
    assert len(answers) == 10
    by_form, by_call, ended = [each for (method, _), each in answers.items() if method == "PATCH"]
    assert (by_form["state"], "confirmExpireTime" in by_form) == ("STATE_DENIED", True)
    assert (by_call["state"], ended["state"]) == ("STATE_GRANTED", "STATE_DENIED")
    *_, checked, suppressed = answers.values()
    assert (checked["allowed"], checked["reasonCode"]) == (False, "consent-denied")
    assert (suppressed["category"], suppressed.get("address", "")) == ("marketing", "")

"""What is advised on a customer's page is answered there, without JavaScript."""

import re
from typing import Any
from uuid import UUID


async def test_what_is_advised_is_answered_on_the_page_and_goes(desk: Any) -> None:
    today = desk.running.db.clock.now()
    born = {"givenName": "Gina", "birthDate": {"year": 1984, "month": today.month, "day": today.day}}
    api, alice = desk.client(), await desk.signed_in()
    said = {"person": born, "timeZone": "UTC"}
    customer = (await api.post("/v1/customers", json=said)).json()["name"]
    page = (await alice.get(f"/{customer}")).text
    assert "Wish them a happy birthday" in page
    (action,) = set(re.findall(rf'action="(/{customer}/adviceAnswers/[0-9a-f-]+)"', page))
    typed = dict(re.findall(r'<input type="hidden" name="(csrf|until)" value="([^"]+)"', page))
    wrong = await alice.post(action, data=typed | {"outcome": "MAYBE"})
    assert wrong.status_code == 400
    answered = await alice.post(action, data=typed | {"outcome": "NOT_NOW"})
    assert (answered.status_code, answered.headers["location"]) == (303, f"/{customer}#advice")
    assert "nothing now" in (await alice.get(f"/{customer}")).text
    (answer,) = (await api.get(f"/v1/{customer}/adviceAnswers")).json()["adviceAnswers"]
    assert (answer["outcome"], answer["answerer"]) == ("OUTCOME_NOT_NOW", "agents/alice")
    gone = f"/{customer}/adviceAnswers/{UUID(int=0)}"
    assert (await alice.post(gone, data=typed | {"outcome": "DONE"})).status_code == 303  # over is over

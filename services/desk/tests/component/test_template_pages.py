"""Words of messages at the desk: made, written by one person and approved by another, and looked at."""

from typing import Any
from uuid import uuid4

from cases.service import service as cases_service
from customer.service import service as customer_service
from notifications.service import service as notifications_service
from services.desk.tests.component.conftest import erika
from services.desk.tests.component.test_times import fields

SERVICES = (customer_service, cases_service, notifications_service)
WRITE = ("notifications.templates.write", "notifications.template_texts.write")
READS = ("notifications.templates.read", "notifications.template_texts.read", "customer.purposes.read")
HTML = (
    "<mjml><mj-head><mj-title>Welcome</mj-title></mj-head><mj-body><mj-section><mj-column><mj-text>"
    "Welcome, {{ customer_name }}. {{ contact_name }}</mj-text></mj-column></mj-section></mj-body></mjml>"
)
BODY = "Welcome, {{ customer_name }}. {{ contact_name }}"


def sent(subject: str = "Welcome", body: str = BODY, **more: str) -> dict[str, str]:
    """The form of a text."""
    return {"subject": subject, "body": body, "request_id": str(uuid4()), "act": "save"} | more


async def made(lead: Any, code: str, **more: str) -> None:
    """A template with a text in English."""
    form = fields((await lead.get("/templates/new")).text)
    form |= {"code": code, "type": "INFORMATION", "purpose": "purposes/service"} | more
    kept = await lead.post("/templates/new", data=form | {"act": "save"})
    assert (kept.status_code, kept.headers["location"]) == (303, f"/templates/{code}"), kept.text
    kept = await lead.post(f"/templates/{code}/texts/en-gb", data=sent())
    assert (kept.status_code, kept.headers["location"]) == (303, f"/templates/{code}/texts/en-gb"), kept.text


async def test_a_template_is_made_with_its_words_and_listed(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    lead = await desk.signed_in("agent:lead", ["*"], "front-desk")
    await made(lead, "ready", variables="depot!, code")
    kept = (await desk.client().get("/v1/templates/ready")).json()
    told = [(each["name"], each["impersonal"]) for each in kept["variables"]]
    assert (sorted(told), kept["department"]) == (
        [("code", False), ("depot", True)],
        "departments/front-desk",
    )
    listed = (await lead.get("/templates")).text
    (row,) = [each for each in listed.split("<tr ") if 'href="/templates/ready"' in each]
    assert "English" in row
    page = (await lead.get("/templates/ready")).text
    assert "code, depot!" in page
    assert 'href="/templates/ready/texts/en-gb"' in page
    other = await lead.get("/templates/ready/texts?language=de")
    assert (other.status_code, other.headers["location"]) == (303, "/templates/ready/texts/de")
    assert "Write it" in (await lead.get("/templates/ready/texts/de")).text


async def test_what_a_template_is_for_is_chosen_knowing_what_no_stop_ends(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    lead = await desk.signed_in("agent:lead", ["*"], "front-desk")
    page = (await lead.get("/templates/new")).text
    assert '<option value="purposes/service">Service, also to who stopped everything</option>' in page
    assert '<option value="purposes/marketing">Marketing</option>' in page
    form = fields(page) | {"code": "not-chosen", "type": "INFORMATION", "act": "save"}
    refused = await lead.post("/templates/new", data=form)
    assert refused.status_code == 422
    marked = refused.text.partition('aria-invalid="true"')
    assert marked[0].rpartition("<")[2].startswith('select name="purpose"')


async def test_a_text_is_looked_at_with_examples_as_a_customer_and_as_html(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    lead = await desk.signed_in("agent:lead", ["*"], "front-desk")
    await made(lead, "looked-at")
    path = "/templates/looked-at/texts/en-gb"
    etag = fields_of_text((await lead.get(path)).text)["etag"]
    kept = await lead.post(path, data=sent(mjml=HTML, etag=etag))
    assert kept.status_code == 303, kept.text
    page = (await lead.get(path)).text
    assert "Examples stand for" in page
    assert "it is 1 segment" in page
    assert f'sandbox src="{path}/html?version=2"' in page
    framed = await lead.get(f"{path}/html?version=2")
    policy = framed.headers["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none'")
    assert "frame-ancestors 'self'" in policy
    assert "Welcome" in framed.text
    assert "Rapport</title>" not in framed.text
    form = {"request_id": str(uuid4()), "who": "Erika Sommer", "act": "find"}
    name = await erika(desk)
    found = (await lead.post(path, data=form)).text
    assert f'href="{path}?customer={name.removeprefix("customers/")}"' in found


async def test_what_is_wrong_with_words_stands_at_its_field_as_it_was_typed(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    lead = await desk.signed_in("agent:lead", ["*"], "front-desk")
    await made(lead, "wrong")
    body = "Hello {{ customer_name"
    answer = await lead.post("/templates/wrong/texts/de", data=sent(body=body))
    assert answer.status_code == 422
    marked = answer.text.partition('aria-invalid="true"')[2].partition("</div>")[0]
    assert "line 1" in marked
    assert body in marked


async def test_what_a_form_does_not_have_stays(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    lead = await desk.signed_in("agent:lead", ["*"], "front-desk")
    await made(lead, "closing")
    path, rest = "/templates/closing/texts/en-gb", desk.client()
    words = {"apology": "We are sorry.", "reasons": {"other": "We close."}}
    mask = "?updateMask=apology,reasons"
    assert (await rest.patch(f"/v1{path}{mask}", json=words)).status_code == 200
    etag = fields_of_text((await lead.get(path)).text)["etag"]
    assert (await lead.post(path, data=sent("We close", etag=etag))).status_code == 303
    kept = (await rest.get(f"/v1{path}")).json()
    assert (kept["subject"], kept["apology"], kept["reasons"]) == ("We close", *words.values())


async def test_bad_news_is_a_type_whose_words_say_what_they_must(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    lead = await desk.signed_in("agent:lead", ["*"], "front-desk")
    form = {"type": "BAD_NEWS", "purpose": "purposes/service", "default_language_code": "en-GB"}
    form |= {"code": "closing", "request_id": str(uuid4()), "act": "save"}
    assert (await lead.post("/templates/new", data=form)).status_code == 303
    path = "/templates/closing/texts/en-gb"
    assert "What happens next" in (await lead.get(path)).text
    refused = await lead.post(path, data=sent("We close"))
    assert refused.status_code == 422
    assert "apology" in refused.text.partition('aria-invalid="true"')[2].partition("</div>")[0]
    body = "{{ apology }} {{ reason }} {{ next_step }} {{ contact_name }} {{ contact_reach }}"
    said = {"next_step": "Come by.", "apology": "Sorry.", "reasons": "other: We close."}
    kept = await lead.post(path, data=sent("We close", body) | said)
    assert kept.status_code == 303, kept.text


async def test_a_draft_is_approved_by_a_second_person_and_versions_stand_side_by_side(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    lead = await desk.signed_in("agent:lead", ["*"], "front-desk")
    await made(lead, "reviewed", review_required="on")
    path = "/templates/reviewed/texts/en-gb"
    page = (await lead.get(path)).text
    assert "You wrote it: somebody else approves it." in page
    assert 'value="approve"' not in page
    second = await desk.signed_in("agent:second", ["*"], "front-desk")
    page = (await second.get(path)).text
    assert "written by Lead, " in page
    form = fields_of_text(page) | {"act": "reject", "note": "It says nothing."}
    assert (await second.post(path, data=form)).status_code == 303
    page = (await lead.get(path)).text
    assert "It says nothing." in page
    form = sent(body="Welcome at last. {{ contact_name }}", etag=fields_of_text(page)["etag"])
    assert (await lead.post(path, data=form)).status_code == 303
    form = fields_of_text((await second.get(path)).text) | {"act": "approve"}
    assert (await second.post(path, data=form)).status_code == 303
    page = (await second.get(f"{path}?beside=1")).text
    assert "was not approved" in page
    assert "Welcome at last." in page
    again = await second.post(path, data=form | {"request_id": str(uuid4())})
    assert (again.status_code, 'class="refused"' in again.text) == (422, True)


async def test_a_partial_says_in_whose_words_it_stands(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    lead = await desk.signed_in("agent:lead", ["*"], "front-desk")
    await made(lead, "footer", type="PARTIAL")
    await made(lead, "with-footer")
    path = "/templates/with-footer/texts/en-gb"
    etag = fields_of_text((await lead.get(path)).text)["etag"]
    body = '{{ contact_name }} {% include "footer" %}'
    assert (await lead.post(path, data=sent(body=body, etag=etag))).status_code == 303
    assert 'It stands in <a href="/templates/with-footer">' in (await lead.get("/templates/footer")).text
    assert 'In it stand <a href="/templates/footer">' in (await lead.get("/templates/with-footer")).text
    assert "How it reads" not in (await lead.get("/templates/footer/texts/en-gb")).text


async def test_who_may_not_write_reads_and_nobody_else(open_desk: Any) -> None:
    desk = await open_desk(*SERVICES)
    lead = await desk.signed_in("agent:lead", ["*"], "front-desk")
    await made(lead, "ours")
    other = await desk.signed_in("agent:bob", [*READS, *WRITE], "billing")
    for path in ("/templates/ours", "/templates/ours/texts/en-gb"):
        page = (await other.get(path)).text
        assert 'name="act"' not in page, path
    assert (await other.get("/templates/ours/texts/de")).status_code == 404
    refused = await other.post("/templates/ours/texts/en-gb", data=sent(etag='"1"'))
    assert refused.status_code == 422
    reader = await desk.signed_in("agent:rita", READS, "front-desk")
    assert "/templates/new" not in (await reader.get("/templates")).text
    nobody = await desk.signed_in("agent:nobody", ["cases.cases.read"], "front-desk")
    assert (await nobody.get("/templates")).status_code == 403
    for path in (
        "/templates/No!",
        "/templates/none",
        "/templates/ours/texts/No!",
        "/templates/none/texts/de",
    ):
        assert (await lead.get(path)).status_code == 404, path


def fields_of_text(page: str) -> dict[str, Any]:
    """What the first form of a text's page would send."""
    first = page.split("<main", 1)[1].partition('<form method="post"')[2].partition("</form>")[0]
    return fields(f'<main><form method="post">{first.partition(">")[2]}</form>')

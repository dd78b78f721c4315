"""The company that the tests of the desk look at is a whole one."""

from tests.browser.company import Company, Steps


async def test_the_story_happens_in_the_company_step_by_step(desk: Company) -> None:
    steps = Steps()
    telling = steps.begin(desk.tell_story(steps.tell))
    told = []
    while len(told) < 6:
        told.append(await steps.next())
        steps.go_on()
    outcome = await telling
    assert (told[0].split()[:4], outcome.goodwill != "") == (["The", "customer", "is", "known,"], True)
    [mail] = desk.mailbox.list()
    assert "nora.winter" in mail.recipients[0]

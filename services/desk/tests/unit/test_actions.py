"""What can be done is called the same wherever it is offered."""

from desk.pages.actions.route import FORMS
from desk.ui.actions import ACTIONS


def test_a_form_has_the_words_of_the_button_that_opens_it() -> None:
    differing = {
        name: FORMS[name].title
        for name, each in ACTIONS.items()
        if not FORMS[name].title.startswith(each.label)
    }
    assert differing == {}


def test_no_key_does_two_things() -> None:
    letters = [each.letter for each in ACTIONS.values() if each.letter]
    assert len(letters) == len(set(letters))

"""What speaks for two records being of one customer, and against it, in words."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from google.type.postal_address_pb2 import PostalAddress

from chassis.api.messages import moment, value_name
from desk.language.catalogues import N_
from desk.pages.customer.entries import who_did
from desk.pages.customer.loading import Names
from desk.pages.customer.things import Handle, handle
from desk.ui.speech import Speech
from rapport.customer.v1.customer_pb2 import Customer
from rapport.customer.v1.match_pb2 import MatchCandidate

_HANDLES_MAX = 3  # of one kind are shown
_FULL_BITS = 12  # from where on a bar is as long as it gets: 4,000 times as likely
_SPEAKS = (  # by how many bits or more
    (6.0, N_("speaks strongly for it")),
    (1.5, N_("speaks for it")),
    (0.3, N_("speaks a little for it")),
    (-0.3, N_("says nothing")),
    (-1.5, N_("speaks a little against it")),
    (-6.0, N_("speaks against it")),
)
_ODDS = (  # by how likely they are one
    (0.99, N_("almost certainly one")),
    (0.9, N_("very likely one")),
    (0.5, N_("rather one than two")),
    (0.0, N_("perhaps one")),
)
_UNSAID = ("unknown", "as usual")  # levels that say nothing of two values
_Bar = MatchCandidate.Bar
BARS = {  # why a person is asked
    _Bar.BAR_OTHER_IDS: N_("each has an id or account number of the same system, and they differ"),
    _Bar.BAR_OTHER_KIND: N_("nobody knows whether both are persons, or both organizations"),
    _Bar.BAR_ONE_HOUSEHOLD: N_("they live at one address, and are not known to be born in one year"),
    _Bar.BAR_NOT_LEARNED: N_(
        "nothing is learned from these customers yet, and what is believed of any links nobody"
    ),
    _Bar.BAR_CONTRADICTED: N_("those who are linked with them already speak against it"),
    _Bar.BAR_SAID_TWO: N_("somebody said of two who are linked with them that these are two"),
    _Bar.BAR_ASKED_AGAIN: N_("somebody said that these are two, and somebody asked again"),
    _Bar.BAR_TOO_MANY: N_("more customers are linked with them than are ever linked by themselves"),
    _Bar.BAR_LINK_REFUSED: N_("they have too many names together, or are of two types"),
    _Bar.BAR_CONFLICTING_IDENTIFIERS: N_("each has an identifier of one person, and they differ"),
    _Bar.BAR_ONLY_SHARED: N_("little but an identifier that many share speaks for it"),
    _Bar.BAR_NOTHING_PERSONAL: N_("neither a name nor a birth date speaks for it"),
    _Bar.BAR_NAME_ALONE: N_("nothing but a name speaks for it"),
    _Bar.BAR_OTHER_GIVEN_NAME: N_("their given names differ, as those of twins do"),
    _Bar.BAR_NO_GIVEN_NAME: N_("of one of them no given name is known"),
    _Bar.BAR_OTHER_BIRTH_DATE: N_(
        "their birth dates differ by more than a slip, as those of parent and child of one name do"
    ),
    _Bar.BAR_ONE_KIND: N_(
        "it takes two of name, birth date, address and a handle of their own to speak for it"
    ),
    _Bar.BAR_AS_MUCH_AGAINST: N_("as many kinds of evidence speak against it"),
}


@dataclass(frozen=True)
class Row:
    """What one thing that is known of them says: about both, and in a bar."""

    label: str
    level: str  # how they agree; empty where that is not compared
    speaks: str  # how much that says
    mood: str
    bits: float  # -1 to 1, of the longest bar
    sides: Sequence[Sequence[str | Handle]]


@dataclass(frozen=True)
class Line:
    """Two who may be one."""

    name: str
    who: Sequence[str]
    about: str  # where each lives, and when they were born
    odds: str
    since: str


def lines(waiting: Iterable[MatchCandidate], known: Mapping[str, Customer], say: Speech) -> Sequence[Line]:
    return [
        Line(
            each.name,
            called(each, known, say),
            _about(each, known, say),
            odds(each, say),
            say.moment(moment(each.create_time)),
        )
        for each in waiting
    ]


def _about(candidate: MatchCandidate, known: Mapping[str, Customer], say: Speech) -> str:
    """What tells namesakes apart."""
    both = [known.get(name, Customer()) for name in (candidate.customer, candidate.other_customer)]
    said = [
        ", ".join(filter(None, [*(a.postal_address.locality for a in each.addresses[:1]), *_born(each, say)]))
        for each in both
    ]
    return " / ".join(each or say("unknown") for each in said) if any(said) else ""


def called(candidate: MatchCandidate, known: Mapping[str, Customer], say: Speech) -> Sequence[str]:
    """What each of the two is called."""
    both = (known.get(name) for name in (candidate.customer, candidate.other_customer))
    return [
        each.display_name or say("A customer without a name") if each else say("Nobody any more")
        for each in both
    ]


def merged(candidate: MatchCandidate, known: Mapping[str, Customer], say: Speech) -> Sequence[str]:
    """Who of the two is one with somebody by now, whose record is shown: that is not what was compared."""
    both = (candidate.customer, candidate.other_customer)
    shown = [known[name].display_name for name in both if name in known and known[name].name != name]
    return [each or say("A customer without a name") for each in shown]


def odds(candidate: MatchCandidate, say: Speech) -> str:
    return say(next(words for least, words in _ODDS if candidate.probability >= least))


def bars(candidate: MatchCandidate, say: Speech) -> Sequence[str]:
    """Why a person is asked; what a later release says too is left out."""
    return [say(BARS[each]) for each in candidate.bars if each in BARS]


def rows(candidate: MatchCandidate, pair: Sequence[Customer], say: Speech) -> Sequence[Row]:
    """Field by field, of what at least one of them says."""
    said = {each.field: each for each in candidate.fields}
    found = []
    for code, fields, values in _SHOWN:
        sides = [[each for each in values(customer, say) if each] for customer in pair]
        if any(sides):
            found.append(_row(say.titled(code), [said[name] for name in fields if name in said], sides, say))
    home = said.get("household")
    if home and home.weight < _SPEAKS[3][0]:
        found.append(_row(say("They may only live together"), [home], ((), ()), say))
    return found


def _row(
    label: str,
    fields: Sequence[MatchCandidate.Field],
    sides: Sequence[Sequence[str | Handle]],
    say: Speech,
) -> Row:
    compared = [each for each in fields if each.level not in _UNSAID]
    bits = sum(each.weight for each in compared)
    levels = dict.fromkeys(say.code(each.level) for each in compared if each.field != "household")
    speaks = next((words for least, words in _SPEAKS if bits >= least), N_("speaks strongly against it"))
    return Row(
        label=label,
        level=", ".join(levels),
        speaks=say(speaks) if compared else "",
        mood="ok" if bits >= _SPEAKS[2][0] else "no" if bits < _SPEAKS[3][0] else "soft",
        bits=max(-1.0, min(1.0, bits / _FULL_BITS)),
        sides=sides,
    )


def _postal(part: Callable[[PostalAddress], Iterable[str]]) -> "_Values":
    """That part of each address."""
    return lambda customer, _: list(
        dict.fromkeys(text for each in customer.addresses for text in part(each.postal_address))
    )


def _handles(*types: str) -> "_Values":
    """Ways to reach them, masked; the first of very many."""

    def few(customer: Customer, say: Speech) -> Sequence[str | Handle]:
        held = [handle(each, say) for each in customer.identifiers if value_name(each, "type") in types]
        more = len(held) - _HANDLES_MAX
        return [*held[:_HANDLES_MAX], say("and {n} more", n=say.number(more))] if more > 1 else held

    return few


def _born(customer: Customer, say: Speech) -> Sequence[str]:
    return [say.partly(customer.person.birth_date)]


_Values = Callable[[Customer, Speech], Sequence[str | Handle]]
# What is shown, the fields that are compared of it, and its values.
_SHOWN: Sequence[tuple[str, Sequence[str], _Values]] = (
    ("given_name", ("given_name", "order of names"), lambda each, _: [each.person.given_name]),
    ("family_name", ("family_name",), lambda each, _: [each.person.family_name]),
    (
        "organization_name",
        ("organization_name", "legal_name"),
        lambda each, _: [each.person.organization_name, each.organization.legal_name],
    ),
    ("birth_date", ("birth_date",), _born),
    ("lines", ("street", "street_2", "order of lines", "house_number"), _postal(lambda at: at.address_lines)),
    ("postal_code", ("postal_code",), _postal(lambda at: [at.postal_code])),
    ("locality", ("city",), _postal(lambda at: [at.locality])),
    ("administrative_area", ("state",), _postal(lambda at: [at.administrative_area])),
    ("region_code", ("country",), _postal(lambda at: [at.region_code])),
    ("email", ("email",), _handles("EMAIL")),
    ("phone", ("phone",), _handles("PHONE")),
    ("fax", ("fax",), _handles("FAX")),
    ("account-number", (), _handles("ACCOUNT_NUMBER", "EXTERNAL_ID")),
)


def decision(candidate: MatchCandidate, names: Names, say: Speech) -> str:
    """What became of it, by whom and when; empty while it waits."""
    told = {
        "by": who_did(candidate.decider, "", names, say),
        "when": say.moment(moment(candidate.decide_time)),
        "why": say.code(candidate.reason_code),
    }
    match value_name(candidate, "state"):
        case "LINKED":
            return say("One customer: {by}, {when}.", **told)
        case "REJECTED":
            return say("Two customers ({why}): {by}, {when}.", **told)
        case "CLOSED":
            return say("Nobody need say any more ({why}): {by}, {when}.", **told)
    return ""

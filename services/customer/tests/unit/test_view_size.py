"""Whatever a customer has, their view is of 64 KiB at most and says where the rest is."""

import functools
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.api.messages import money
from chassis.db.aliases import Groups
from customer.domain.attachments import MOST_OF_AN_ENTRY, AttachedFile, AttachmentState
from customer.domain.timeline import Channel, Direction, ShownEntry
from customer.store.tables import ViewRow
from customer.store.timeline import LATEST_IN_VIEW
from customer.store.views import ENDED_IN_VIEW, LIVE_IN_VIEW, SetAside, ShownPart
from customer.usecases.freshness import PER_CUSTOMER, unapplied_facts
from customer.usecases.parts import PARTS, PartKind, excerpt
from customer.usecases.rendering import rendered, stored
from rapport.customer.v1.section_pb2 import SectionCell
from rapport.customer.v1.view_pb2 import CustomerView, SourceFreshness

ID, NOW = UUID(int=7), datetime(2026, 3, 2, 9, tzinfo=UTC)
ALL = CustomerView(name=f"customers/{ID}/view", customer=f"customers/{ID}")
WIDE = "\U0001f4e6"  # four bytes, as many as a character has
MOST = 2**63 - 1
FILES = [
    AttachedFile(ID, UUID(int=i), WIDE * 100, "x" * 80, 3_000_000, AttachmentState.NOT_SCANNED)
    for i in range(MOST_OF_AN_ENTRY)
]


@functools.cache
def part(kind, number, length, ended, urgent):
    """A part of a kind in which every text is so long, as `folded` cuts it."""
    made = PARTS[kind].add(CustomerView())
    for field in made.DESCRIPTOR.fields:
        if field.type == field.TYPE_STRING:
            setattr(made, field.name, WIDE * length)
    if kind is PartKind.VALUE:
        made.lifetime_values.extend(money(10**12, f"{i:03}") for i in range(length))
    else:
        setattr(made, made.DESCRIPTOR.fields[0].name, f"{kind}/{number}" + WIDE * length)
    made.source.service = "services/" + "x" * 63
    made.source.resource_version = MOST
    made.source.occur_time.FromDatetime(NOW + timedelta(microseconds=1))
    return ShownPart(ID, kind, excerpt(made).SerializeToString(), ended, urgent)


def entry(number, length, files=()):
    text = WIDE * length
    return ShownEntry(
        UUID(int=number), ID, NOW, text, "x" * 63, text, text, Channel.VOICE, Direction.INBOUND, text, text,
        text, "agent:" + "x" * 63, "f" * 32, assigned_customer_id=ID, reason_code=text,
        attachment_ids=" ".join(str(each.attachment_id) for each in files), files=files,
    )  # fmt: skip


@functools.cache
def section(number, cells, length):
    drawn = [SectionCell(label=WIDE * 40, text=WIDE * length) for _ in range(cells)]
    view = CustomerView()
    view.sections.add(name=f"customers/{ID}/view/sections/s{number:02}", display_name=WIDE * 40, cells=drawn)
    return view.SerializeToString()


LENGTHS = st.sampled_from([0, 20, 200, 5000])
IS = st.booleans()


@st.composite
def hostile(draw):
    """A customer with as many parts of each kind as are looked at, one more than are shown; long texts."""
    parts, row = [], ViewRow(ID, NOW, open_promises=10**6, open_cases=10**6)
    for kind in PartKind:
        length = draw(LENGTHS)
        live, ended = draw(st.integers(0, LIVE_IN_VIEW + 1)), draw(st.integers(0, ENDED_IN_VIEW + 1))
        urgent = draw(st.integers(0, live))
        parts += [part(kind, i, length, ended=False, urgent=i >= live - urgent) for i in range(live)]
        parts += [part(kind, i + live, length, ended=True, urgent=False) for i in range(ended)]
    entries = [
        entry(i, draw(LENGTHS), draw(st.sampled_from([(), FILES])))
        for i in range(draw(st.integers(0, LATEST_IN_VIEW + 1)))
    ]
    sizes = st.tuples(st.integers(0, 16), st.sampled_from([1, 30]))
    sections = [section(i, *draw(sizes)) for i in range(draw(st.integers(0, 32)))]
    return parts, entries, row, sections


def lists_of(view):
    """What a view has of each kind, by the name that it has where there is more."""
    return {
        PartKind.PROMISE: ("promises", view.promises),
        PartKind.CASE: ("cases", view.cases),
        PartKind.NOTICE: ("notices", view.notices),
        PartKind.BALANCE: ("loyalty.balances", view.loyalty.balances),
        PartKind.GOODWILL: ("loyalty.goodwill", view.loyalty.goodwill),
    }


@settings(max_examples=12, deadline=None)
@given(hostile())
def test_no_view_is_larger_and_each_says_of_what_it_has_a_part(customer):
    parts, entries, row, sections = customer
    view = rendered(ID, None, parts, entries, row)
    told = stored({"view": view, "customer_id": ID, "asked": UUID(int=8), "sections": sections})
    fact = SetAside("x" * 63, "r" * 4096, "t" * 4096, f"customers/{ID}", "PARKED", NOW)
    facts = [fact] * (PER_CUSTOMER + 5)
    aside = unapplied_facts(facts, Groups([{"asked": ID, "survivor": ID, "members": [ID]}]))[ID]
    source = SourceFreshness(service=f"services/{'x' * 30}", state=1, pending_event_count=10**6)
    answer = told + aside + CustomerView(freshness=[source] * 40).SerializeToString()
    assert len(answer) <= 64 * 1024

    found = CustomerView.FromString(answer)
    excerpts = {*found.excerpts}
    assert len(excerpts) == len(found.excerpts)
    for kind, (field, shown) in lists_of(found).items():
        given = [part for part in parts if part.kind == kind]
        assert (field in excerpts) == (len(shown) < len(given))
        assert len(shown) <= LIVE_IN_VIEW + ENDED_IN_VIEW
        assert shown or not given
    assert ("sections" in excerpts) == (len(found.sections) < len(sections))
    assert ("latest_timeline_entries" in excerpts) == (len(found.latest_timeline_entries) < len(entries))
    assert "unapplied_facts" in excerpts
    for each in excerpts:  # fields of a view, or of its loyalty
        of, _, inside = each.partition(".")
        held = CustomerView.DESCRIPTOR.fields_by_name[of]
        assert not inside or inside in held.message_type.fields_by_name


def test_what_is_at_risk_is_shown_before_what_changed_later():
    parts = [part(PartKind.PROMISE, i, 200, ended=False, urgent=i >= 45) for i in range(50)]
    view = CustomerView.FromString(rendered(ID, None, parts, [], ViewRow(ID, NOW)))
    shown = [each.promise.partition(WIDE)[0] for each in view.promises]
    assert 1 <= len(shown) < 5
    assert shown == [f"PROMISE/{i}" for i in range(45, 45 + len(shown))]


def test_what_one_list_leaves_another_uses():
    """Long entries of somebody who has nothing else: more than the share of a timeline."""
    view = CustomerView.FromString(
        rendered(ID, None, [], [entry(i, 200) for i in range(6)], ViewRow(ID, NOW))
    )
    assert len(view.latest_timeline_entries) == 6


def test_no_department_takes_another_ones_place():
    large, small = [section(i, 16, 30) for i in range(31)], section(31, 1, 1)
    view = rendered(ID, None, [], [], ViewRow(ID, NOW))
    found = CustomerView.FromString(
        stored({"view": view, "customer_id": ID, "asked": ID, "sections": [*large, small]})
    )
    assert found.sections[-1].name.endswith("/s31")
    assert [each.name for each in found.sections] == sorted(each.name for each in found.sections)
    assert found.excerpts == ["sections"]

"""Correcting who the customer is, and who looks after them."""

from google.protobuf.field_mask_pb2 import FieldMask

from chassis.errors import invalid
from desk.language.catalogues import N_
from desk.pages.actions.action import Action, Doing, Done, Field, Values, sends
from desk.pages.actions.offering import colleagues
from desk.pages.customer.things import thing_of, zone_because
from rapport.customer.v1 import customer_service_pb2 as pb
from rapport.customer.v1.customer_pb2 import Address, Customer, Organization, Person

_PERSON = ("honorific_prefix", "given_name", "family_name")
_PLAIN = ("display_name", "language_code", "time_zone")
_POSTAL = ("postal_code", "locality", "region_code")


async def _known(doing: Doing) -> Customer:
    return await doing.look.services.customers.GetCustomer(pb.GetCustomerRequest(name=doing.customer))


async def _open_correct(doing: Doing) -> Values:
    known = await _known(doing)
    values: Values = {name: getattr(known, name) for name in _PLAIN}
    values |= {"zone": known.effective_time_zone, "because": zone_because(known, doing.look.say)}
    values |= {"etag": known.etag, "kind": known.WhichOneof("type") or "person"}
    values |= {name: getattr(known.person, name) for name in _PERSON}
    values |= {"legal_name": known.organization.legal_name}
    postal = _primary(known).postal_address
    values |= {name: getattr(postal, name) for name in _POSTAL} | {"lines": "\n".join(postal.address_lines)}
    return values


def _primary(known: Customer) -> Address:
    return next(
        (each for each in known.addresses if each.primary),
        known.addresses[0] if known.addresses else Address(),
    )


async def _correct(doing: Doing) -> Done:
    known = await _known(doing)
    changed = Customer(name=doing.customer, etag=doing.text("etag"))
    paths = []
    for name in _PLAIN:
        if doing.text(name) != getattr(known, name):
            setattr(changed, name, doing.text(name))
            paths.append(name)
    if doing.text("kind") == "organization":
        changed.organization.CopyFrom(Organization(legal_name=doing.text("legal_name")))
        paths.append("organization.legal_name")
    elif any(doing.text(name) != getattr(known.person, name) for name in _PERSON):
        changed.person.CopyFrom(Person(**{name: doing.text(name) for name in _PERSON}))
        paths += [f"person.{name}" for name in _PERSON]
    paths += _address(doing, known, changed)
    if paths:
        mask = FieldMask(paths=paths)
        request = doing.request(pb.UpdateCustomerRequest, customer=changed, update_mask=mask)
        known = await doing.look.services.customers.UpdateCustomer(request)
    told = N_("Saved: the details of {who}.") if paths else N_("Nothing was to be changed of {who}.")
    return Done(doing.look.say(told, who=thing_of(known, doing.look.say)))


def _address(doing: Doing, known: Customer, changed: Customer) -> list[str]:
    """The primary address as it was typed; the others stay."""
    before = _primary(known)
    typed = Address()
    typed.CopyFrom(before)
    lines = [line.strip() for line in doing.text("lines").splitlines() if line.strip()]
    del typed.postal_address.address_lines[:]
    typed.postal_address.address_lines.extend(lines)
    for name in _POSTAL:
        setattr(typed.postal_address, name, doing.text(name))
    if typed == before:
        return []
    if not (lines or any(doing.text(name) for name in ("locality", "postal_code"))):  # it was emptied
        if before not in known.addresses and doing.text("region_code"):  # a country alone is no address
            raise invalid("lines", "REQUIRED", N_("must be given"))
        kept = [each for each in known.addresses if each != before]
        changed.addresses.extend(kept)
        return ["addresses"] if len(kept) < len(known.addresses) else []
    typed.primary = typed.primary or not known.addresses
    changed.addresses.extend([typed if each == before else each for each in known.addresses] or [typed])
    return ["addresses"]


async def _open_manager(doing: Doing) -> Values:
    known = await _known(doing)
    agents = await colleagues(doing.look)
    return {"relationship_manager": known.relationship_manager, "etag": known.etag, "agents": agents}


CORRECT = Action(
    id="correct",
    label=N_("Edit details"),
    letter="E",
    permission="customer.customers.write",
    open=_open_correct,
    do=_correct,
    template="pages/actions/kinds/correct.html",
)
MANAGER = Action(
    id="manager",
    label=N_("Change manager"),
    letter="M",
    permission="customer.customers.assign",
    fields=[Field("relationship_manager", N_("Relationship manager"), among="agents")],
    button=N_("Assign"),
    open=_open_manager,
    do=sends(
        lambda to: to.customers.AssignRelationshipManager,
        pb.AssignRelationshipManagerRequest,
        N_("Assigned: {what} has another relationship manager."),
        relationship_manager="relationship_manager",
    ),
)

"""What the pages say of purchases."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from chassis.api.messages import decimal, exact, moment
from desk.ui.speech import Speech
from rapport.customer.v1.customer_pb2 import Customer
from rapport.loyalty.v1.purchase_pb2 import Purchase


@dataclass(frozen=True)
class Shown:
    """One purchase."""

    name: str
    what: str  # its number, or that it was a purchase or a return
    amount: str
    when: str
    exactly: str
    store: str
    who: str
    customer: str  # empty for nobody's
    count: str  # of its lines
    refunded: str
    returned: str  # the purchase that it gives back some of


@dataclass(frozen=True)
class Product:
    """What was bought of one product, or given back."""

    number: int
    code: str
    quantity: str
    amount: str
    discount: str
    returned: str  # how much of it came back since


def lines(purchases: Iterable[Purchase], customers: Mapping[str, Customer], say: Speech) -> Sequence[Shown]:
    return [shown(each, customers, say) for each in purchases]


def shown(purchase: Purchase, customers: Mapping[str, Customer], say: Speech) -> Shown:
    """A purchase in words; of whose customer nothing is known, that it is a customer's."""
    at = moment(purchase.purchase_time)
    kind = say("Return") if purchase.returned_purchase or decimal(purchase.amount) < 0 else say("Purchase")
    known = customers.get(purchase.customer, Customer()).display_name
    return Shown(
        name=purchase.name,
        what=f"{kind} {purchase.reference}".strip(),
        amount=say.money(purchase.amount),
        when=say.on(at),
        exactly=say.exactly(at),
        store=purchase.store,
        who=(known or say("a customer")) if purchase.customer else say("nobody is known yet"),
        customer=purchase.customer,
        count=say.count(len(purchase.lines), "{n} line", "{n} lines") if purchase.lines else "",
        refunded=say.money(purchase.refunded_amount) if purchase.HasField("refunded_amount") else "",
        returned=purchase.returned_purchase,
    )


def products(purchase: Purchase, returns: Iterable[Purchase], say: Speech) -> Sequence[Product]:
    """The lines, with how much of each came back."""
    back: dict[int, Decimal] = {}
    for line in (line for each in returns for line in each.lines if line.returned_line):
        back[line.returned_line] = back.get(line.returned_line, Decimal(0)) - exact(line.quantity)
    return [
        Product(
            number=number,
            code=line.product,
            quantity=say.number(exact(line.quantity)),
            amount=say.money(line.amount),
            discount=say.money(line.discount_amount) if line.HasField("discount_amount") else "",
            returned=say.number(back[number]) if back.get(number) else "",
        )
        for number, line in enumerate(purchase.lines, start=1)
    ]

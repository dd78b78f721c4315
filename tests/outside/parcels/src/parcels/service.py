"""What the service is made of."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from acme.parcels.v1 import parcels_events_pb2, parcels_pb2, parcels_pb2_grpc

from chassis import ids
from chassis.app import App
from chassis.db.statement import Statement, values
from chassis.db.tables import table
from chassis.db.transaction import Transaction
from chassis.events.declarations import Listening
from chassis.events.envelope import Event
from chassis.facts import fact_of
from chassis.grpc.methods import change, get
from chassis.names import Pattern
from chassis.service import Service
from chassis.servicer import Rpc
from chassis.settings import ServiceSettings
from parcels.domain.facts import ParcelDelivered
from rapport.customer.v1.customer_events_pb2 import CustomerCreated

CUSTOMER, PARCEL = Pattern("customers/{customer}"), Pattern("parcels/{parcel}")


@dataclass
class Parcel:
    """A parcel that has arrived."""

    id: UUID
    customer_id: UUID
    place: str

    name = PARCEL.named("id")
    customer = CUSTOMER.named("customer_id")


METADATA = sa.MetaData()
PARCELS = table(METADATA, "parcels", Parcel)
CUSTOMERS = sa.Table("customers", METADATA, sa.Column("name", sa.Text, primary_key=True))
KEEP = Statement[None](sa.insert(PARCELS))
KEPT = Statement(sa.select(PARCELS).where(PARCELS.c.id == sa.bindparam("id")), row=Parcel)
KNOW = Statement[None](sa.insert(CUSTOMERS).values(name=sa.bindparam("name")))
KNOWN = Statement[Any](sa.select(CUSTOMERS.c.name))


class Settings(ServiceSettings):
    """It has one of its own, and cannot start without; what it declares needs none."""

    depot: str


async def deliver(tx: Transaction, *, customer_id: UUID, place: str) -> Parcel:
    """Keep where a parcel is, and tell it."""
    parcel = Parcel(ids.uuid7(tx.now), customer_id, place)
    await tx.defer(KEEP, **values(parcel))
    tx.record(fact_of(ParcelDelivered, parcel), version=1)
    return parcel


class Parcels(Rpc, parcels_pb2_grpc.ParcelServiceServicer):
    """The department's RPCs."""

    Deliver = change(parcels_pb2.DeliverRequest, deliver, parcels_pb2.Parcel)
    GetParcel = get(PARCEL, KEPT, parcels_pb2.Parcel)


async def on_created(tx: Transaction, event: Event[CustomerCreated]) -> None:
    """Know a customer."""
    await KNOW.run(tx, name=event.data.customer)


def compose(app: App[Settings]) -> None:
    """Put it together."""
    app.serve(Parcels(app))
    app.subscribe("parcels-customers", on_created)


service = Service(
    "parcels",
    port=7010,
    settings=Settings,
    events=parcels_events_pb2,
    migrations=Path(__file__).parent / "migrations",
    compose=compose,
    listens=[Listening("parcels-customers", "customer", [CustomerCreated])],
)

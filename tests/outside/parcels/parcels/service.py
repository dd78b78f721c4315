"""What the service is made of."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from acme.parcels.v1 import parcels_events_pb2, parcels_pb2, parcels_pb2_grpc

from chassis import ids
from chassis.app import App
from chassis.db.database import Database
from chassis.db.statement import Statement
from chassis.db.transaction import Transaction
from chassis.events.declarations import Listening
from chassis.events.envelope import Event
from chassis.grpc.mutation import mutation
from chassis.service import Service
from chassis.settings import ServiceSettings
from parcels.domain.facts import ParcelDelivered
from rapport.customer.v1.customer_events_pb2 import CustomerCreated

METADATA = sa.MetaData()
PARCELS = sa.Table(
    "parcels",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("customer", sa.Text, nullable=False),
    sa.Column("place", sa.Text, nullable=False),
)
CUSTOMERS = sa.Table("customers", METADATA, sa.Column("name", sa.Text, primary_key=True))
KEEP = Statement[None](sa.insert(PARCELS))
KNOW = Statement[None](sa.insert(CUSTOMERS).values(name=sa.bindparam("name")))
KNOWN = Statement[Any](sa.select(CUSTOMERS.c.name))


class Settings(ServiceSettings):
    """It has one of its own, and cannot start without; what it declares needs none."""

    depot: str


class Parcels(parcels_pb2_grpc.ParcelServiceServicer):
    """The department's RPCs."""

    def __init__(self, db: Database) -> None:
        self.db = db

    @mutation
    async def Deliver(self, request: Any, tx: Transaction) -> Any:
        parcel = ids.uuid7(tx.now)
        await tx.defer(KEEP, id=parcel, customer=request.customer, place=request.place)
        name = f"parcels/{parcel}"
        fact = ParcelDelivered(parcel=name, customer=request.customer, place=request.place)
        tx.record(fact, version=1)
        return parcels_pb2.Parcel(name=name, customer=request.customer, place=request.place)


async def on_created(tx: Transaction, event: Event[CustomerCreated]) -> None:
    """Know a customer."""
    await KNOW.run(tx, name=event.data.customer)


def compose(app: App[Settings]) -> None:
    """Put it together."""
    app.serve(Parcels(app.db))
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

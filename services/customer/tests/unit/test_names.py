"""Names that others read: those of the contract."""

import pytest

from customer.domain.consents import ConsentState
from customer.domain.identifiers import IdentifierType, Quality
from customer.domain.imports import ImportState
from customer.domain.purposes import Default
from customer.domain.timeline import Channel, Direction
from rapport.common.v1 import channel_pb2
from rapport.customer.v1.consent_pb2 import Consent
from rapport.customer.v1.identifier_pb2 import Identifier
from rapport.customer.v1.import_job_pb2 import ImportJob
from rapport.customer.v1.purpose_pb2 import Purpose


@pytest.mark.parametrize(
    ("names", "contract"),
    [
        (Default, Purpose.Default),
        (ConsentState, Consent.State),
        (IdentifierType, Identifier.Type),
        (Quality, Identifier.Quality),
        (ImportState, ImportJob.State),
        (Channel, channel_pb2.Channel),
        (Direction, channel_pb2.Direction),
    ],
    ids=lambda found: getattr(found, "__name__", ""),
)
def test_what_is_stored_is_named_as_in_the_contract(names, contract):
    prefix = contract.keys()[0].removesuffix("UNSPECIFIED")
    assert {f"{prefix}{name}" for name in (*names, "UNSPECIFIED")} == set(contract.keys())

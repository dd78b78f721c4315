import re
import stat
from pathlib import Path

import pytest

from chassis.auth.tokens import Verifier
from chassis.errors import Unauthenticated
from chassis.names import CODE
from rapport.options.v1 import options_pb2
from rapport_testing.engines.process import WrongUse
from rapport_tools.cli import contracts
from rapport_tools.local.home import Home
from rapport_tools.local.issuer import Issuer
from rapport_tools.local.people import PEOPLE
from rapport_tools.local.roles import BACK_OFFICE, FRONT_LINE, LEAD, READ_EVERYTHING, ROLES


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path)
    made.create()
    return made


async def test_services_accept_a_token_and_learn_who_calls_and_what_they_may(home: Home) -> None:
    issuer = Issuer(home)
    token = issuer.token_as("agent:alice", "billing")
    principal = await Verifier(issuer.jwks_url, issuer.url).verify(f"Bearer {token}")
    assert (principal.subject, principal.department) == ("agent:alice", "billing")
    assert principal.may("cases.promises.write")
    assert not principal.may("loyalty.transfers.write")


async def test_who_demonstrates_may_do_everything_whatever_the_token_is_for(home: Home) -> None:
    token = Issuer(home).token_as("agent:demo", "billing")
    principal = await Verifier(Issuer(home).jwks_url, Issuer(home).url).verify(f"Bearer {token}")
    assert principal.may("loyalty.transfers.write")


async def test_the_key_outlives_the_process(home: Home) -> None:
    token = Issuer(home).token("service:cases", ["customer.customers.contact"])
    principal = await Verifier(Issuer(home).jwks_url, Issuer(home).url).verify(f"Bearer {token}")
    assert principal.permissions == {"customer.customers.contact"}


async def test_a_token_of_another_stack_is_refused(home: Home, tmp_path: Path) -> None:
    other = Home(tmp_path / "other")
    other.create()
    token = Issuer(other).token_as("admin:eve")
    with pytest.raises(Unauthenticated):
        await Verifier(Issuer(home).jwks_url, Issuer(home).url).verify(f"Bearer {token}")


def test_only_the_owner_reads_keys_and_tokens(home: Home) -> None:
    Issuer(home).write_service_token("cases", ["customer.customers.contact"])
    for path in (home.keys / "signing.pem", home.tokens / "cases"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("who", ["alice", "king:alice", "agent:", "agent:Alice B"])
def test_an_identity_without_a_known_role_is_refused_with_the_roles(home: Home, who: str) -> None:
    with pytest.raises(WrongUse, match="agent, department, manager"):
        Issuer(home).token_as(who)


# Points are not moved by hand, and who serves customers does not run services.
ADMINS_ONLY = {"loyalty.transfers.write", "{service}.operations.read", "{service}.operations.write"}
# A customer's own link is for messages to them and for their pages: no person here is the customer.
ADMINS_ONLY |= {"customer.self_service_links.open", "customer.self_service_links.read"}
# Nor is what confirms a customer's yes.
ADMINS_ONLY |= {"customer.consents.issue", "customer.consents.confirm"}
ADMINS_ONLY |= {"notifications.delivery_attempts.record"}
# That a customer has read something says the app in which they did.
ADMINS_ONLY |= {"notifications.inbox_messages.write"}
# Who runs the services has it, and who serves customers does not.
SRES_ONLY = {
    "cases.clocks.reconcile",
    "customer.customer_views.rebuild",
    "notifications.providers.write",
}


def test_whoever_signs_in_at_the_local_desk_has_a_role_that_there_is() -> None:
    assert {person.role for person in PEOPLE.values()} <= ROLES.keys()
    assert all(
        re.fullmatch(CODE, name) for person in PEOPLE.values() for name in (person.id, person.department)
    )


def test_the_roles_name_exactly_the_permissions_of_the_contracts() -> None:
    in_contracts = {
        method.GetOptions().Extensions[options_pb2.permission]
        for service in contracts.services()
        for method in service.methods
    }
    assert in_contracts - ADMINS_ONLY - SRES_ONLY == READ_EVERYTHING | FRONT_LINE | BACK_OFFICE | LEAD

"""Service accounts of a cluster: whose token is whose, and what a department's own account cannot become."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chassis.auth.tokens import Verifier
from chassis.errors import Unauthenticated

CASES = "system:serviceaccount:crm:cases"
KNOWN = {CASES: {"service": "cases", "department": "support", "permissions": ["loyalty.accounts.read"]}}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "accounts.json"
    path.write_text(json.dumps(KNOWN))
    return path


@pytest.fixture
def say(file: Path) -> Callable[[str], int]:
    """Change what the file says."""
    return file.write_text


@pytest.fixture
def cluster(own: Any, verifier: Verifier, file: Path, tmp_path: Path) -> Any:
    """The cluster's issuer, beside that of people. Its tokens hold what a cluster's do."""
    made = type(own)(tmp_path / "cluster.json")
    made.add("cluster")
    verifier.trust(made.path.as_uri(), "https://cluster", file)
    return made


def bearer(cluster: Any, account: str = CASES, **claims: Any) -> str:
    of_cluster = {"iss": "https://cluster", "sub": account, "department": None, "permissions": None}
    return str(cluster.header("cluster", **of_cluster | claims))


async def refused(verifier: Verifier, header: str) -> bool:
    with pytest.raises(Unauthenticated) as caught:
        await verifier.verify(header)
    return caught.value.reason == "TOKEN_INVALID"


async def test_an_account_is_the_service_that_the_platform_says(cluster: Any, verifier: Verifier) -> None:
    principal = await verifier.verify(bearer(cluster))
    assert (principal.subject, principal.department) == ("service:cases", "support")
    assert principal.permissions == {"loyalty.accounts.read"}


async def test_people_are_who_their_issuer_says_as_before(cluster: Any, own: Any, verifier: Verifier) -> None:
    assert (await verifier.verify(own.header())).subject == "agent:alice"


@pytest.mark.parametrize(
    "account",
    [
        "system:serviceaccount:gifts:cases",  # of the same name, in a namespace of one's own
        "system:serviceaccount:crm:cases2",
        "system:serviceaccount:crm:default",
        "service:cases",
        "agent:alice",
        "",
    ],
)
async def test_an_account_that_is_not_named_is_nobody(cluster: Any, verifier: Verifier, account: str) -> None:
    assert await refused(verifier, bearer(cluster, account))


async def test_nothing_else_that_a_clusters_token_says_counts(cluster: Any, verifier: Verifier) -> None:
    more = {"rapport_sub": "agent:alice", "department": "platform", "permissions": ["*"], "scope": "*"}
    principal = await verifier.verify(bearer(cluster, **more))
    assert (principal.subject, principal.department) == ("service:cases", "support")
    assert principal.permissions == {"loyalty.accounts.read"}


async def test_no_issuer_speaks_for_the_other(cluster: Any, own: Any, verifier: Verifier) -> None:
    assert await refused(verifier, own.header(sub=CASES))
    assert await refused(verifier, own.header(sub=CASES, iss="https://cluster"))
    assert await refused(verifier, cluster.header("cluster"))
    assert await refused(verifier, bearer(cluster, iss="https://other"))


async def test_a_token_for_the_clusters_own_api_is_none_for_us(cluster: Any, verifier: Verifier) -> None:
    assert await refused(verifier, bearer(cluster, aud="https://kubernetes.default.svc"))
    assert await refused(verifier, bearer(cluster, exp=None))


async def test_an_account_joins_and_leaves_without_a_new_start(
    cluster: Any, verifier: Verifier, say: Callable[[str], int]
) -> None:
    gifts = "system:serviceaccount:gifts:gifts"
    assert await refused(verifier, bearer(cluster, gifts))
    say(json.dumps(KNOWN | {gifts: {"service": "gifts"}}))
    header = bearer(cluster, gifts)
    assert (await verifier.verify(header)).subject == "service:gifts"
    say(json.dumps(KNOWN))
    assert await refused(verifier, bearer(cluster, gifts))
    assert verifier.known(header) is None


@pytest.mark.parametrize(
    "broken",
    [
        '{"cases": {"service": "cases"}}',
        '{"system:serviceaccount:crm:*": {"service": "cases"}}',
        '{"system:serviceaccount:crm:cases": {"service": "agent:alice"}}',
        '{"system:serviceaccount:crm:cases": {"service": "cases", "sub": "agent:alice"}}',
        '{"system:serviceaccount:crm:cases": {"permissions": ["*"]}}',
        "[]",
        "{",
    ],
)
async def test_accounts_that_cannot_be_are_refused_at_the_start_and_change_nothing_later(
    cluster: Any, verifier: Verifier, file: Path, say: Callable[[str], int], broken: str
) -> None:
    say(broken)
    assert (await verifier.verify(bearer(cluster))).subject == "service:cases"
    with pytest.raises(ValueError, match=r"\w"):
        verifier.trust(cluster.path.as_uri(), "https://cluster", file)

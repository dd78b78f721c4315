"""The names of resources that the loyalty service has or refers to."""

from chassis.api.names import Pattern
from loyalty.domain.ledger import AccountKey, AccountKind

CUSTOMER = Pattern("customers/{customer}")
PROMISE = Pattern("promises/{promise}")
PROGRAMME = Pattern("programmes/{programme:code}")
MEMBERSHIP = Pattern("programmes/{programme:code}/memberships/{membership}")
PROGRAMME_ACCOUNT = Pattern("programmes/{programme:code}/accounts/{account:code}")
TRANSFER = Pattern("transfers/{transfer}")
PURCHASE = Pattern("purchases/{purchase}")
CUSTOMER_VALUE = Pattern("customerValues/{customer}")
GOODWILL = Pattern("goodwill/{goodwill}")

_OWN = {kind.lower(): kind for kind in AccountKind if kind is not AccountKind.MEMBERSHIP}


def account_key(name: str) -> AccountKey | None:
    """The account that `name` names, a membership or a programme's own; None when it names neither."""
    if ids := MEMBERSHIP.match(name):
        return AccountKey(ids[0], AccountKind.MEMBERSHIP, ids[1])
    ids = PROGRAMME_ACCOUNT.match(name)
    return AccountKey(ids[0], _OWN[ids[1]]) if ids and ids[1] in _OWN else None

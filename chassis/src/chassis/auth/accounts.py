"""Which service each account of a Kubernetes cluster is: a file that the platform keeps, not departments.

    {"system:serviceaccount:crm:cases": {"service": "cases", "department": "cases",
                                         "permissions": ["loyalty.accounts.read"]}}

The cluster says in its tokens which account somebody is, and who makes accounts in a namespace names them as
they like. So nothing is read out of a name: an account that does not stand here is nobody.
"""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from chassis.files import Reread
from chassis.names import CODE

REFRESH_S = 60.0  # an account that was taken out works this long at most
ACCOUNT = re.compile(
    r"system:serviceaccount:[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?:[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?"
)
_SERVICE = re.compile(CODE)


class Account(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an account may be: a service, never a person."""

    service: str
    department: str = ""
    permissions: list[str] = []


class Accounts:
    """The accounts of a file, read again when it changes: then `changed` is called.

    ValueError when the file cannot be as above; later that is logged, and the one before holds.
    """

    def __init__(self, file: Path, changed: Callable[[], None]) -> None:
        self._file = file
        self._changed = changed
        try:
            self._read_again = Reread([file], self._read)
        except OSError as error:
            raise ValueError(f"{file} cannot be read: {error.strerror}") from None
        self._accounts = self._read_again.newest()

    def claims(self, account: str) -> dict[str, Any]:
        """What a token of an account says, had we signed it. ValueError for an account that is not ours."""
        found = self.refresh().get(account)
        if found is None:
            raise ValueError("not an account of the platform's services")
        return {
            "sub": f"service:{found.service}",
            "department": found.department,
            "permissions": found.permissions,
        }

    async def run(self) -> None:
        """Read the file again every minute: tokens that are known already are not asked about."""
        while True:
            self.refresh()
            await asyncio.sleep(REFRESH_S)

    def refresh(self) -> dict[str, Account]:
        before, self._accounts = self._accounts, self._read_again.newest()
        if self._accounts is not before:
            self._changed()
        return self._accounts

    def _read(self) -> dict[str, Account]:
        accounts = msgspec.json.decode(self._file.read_bytes(), type=dict[str, Account])
        for name, account in accounts.items():
            if not ACCOUNT.fullmatch(name):
                raise ValueError(f"an account is called system:serviceaccount:<namespace>:<name>, not {name}")
            if not _SERVICE.fullmatch(account.service):
                raise ValueError(f"{name}: a service is called by a code, not {account.service!r}")
        return accounts

"""Consents: what customers said to another system, of a purpose on a channel, and when."""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from math import inf
from typing import NamedTuple
from uuid import uuid4

import grpc

from chassis.api.messages import moment, timestamp
from chassis.errors import InvalidArgument
from chassis.grpc.status import refusal
from rapport.common.v1.channel_pb2 import Channel
from rapport.customer.v1.consent_pb2 import Consent
from rapport.customer.v1.consent_service_pb2 import ListConsentsRequest, UpdateConsentRequest
from rapport.customer.v1.consent_service_pb2_grpc import ConsentServiceStub
from rapport.customer.v1.purpose_service_pb2 import ListPurposesRequest
from rapport.customer.v1.purpose_service_pb2_grpc import PurposeServiceStub
from rapport_imports.decoding import UnreadableFile
from rapport_imports.engine import RowsRefused
from rapport_imports.fields import Cells
from rapport_imports.names import plain
from rapport_imports.people import NOBODY, Channels, Customers, OfCustomers, Person, person
from rapport_imports.reading import Reading
from rapport_imports.result import Result
from rapport_imports.tabular import Problem, Row

PAGE = 1000
AT_ONCE = 8  # customers of whom it is asked what holds
CHANNELS = ("email", "sms", "voice", "letter")
_YES_WORDS = """
    yes y true t 1 10 on checked ✓ ✔ ☑ ja j wahr oui vrai si s verdadero vero sim verdadeiro waar
    tak prawda ano evet да はい 是 granted optin optedin subscribed confirmed allowed angemeldet
    abonniert eingewilligt erteilt zugestimmt abonne abonnee inscrit inscrite suscrito suscrita
    inscrito inscrita subscrito iscritto iscritta ingeschreven aangemeld geabonneerd accordato
    concedido accorde
"""
_NO_WORDS = """
    no n false f 0 00 off unchecked ✗ ✘ nein falsch non faux falso nao nee onwaar nej nie ne hayir
    нет いいえ 否 denied optout optedout unsubscribed cleaned complained bounced revoked abgemeldet
    abbestellt widerrufen abgelehnt verweigert desabonne desabonnee desinscrit desinscrite refuse
    baja dadodebaja dadadebaja descadastrado cancelado cancelada disiscritto disiscritta revocato
    revocado revogado uitgeschreven afgemeld
"""
_YES, _NO = frozenset(_YES_WORDS.split()), frozenset(_NO_WORDS.split())
_OF_THE_ROW = ("CONSENT_ASKED_OFTEN", "RESOURCE_NOT_FOUND")
_NO_PURPOSE = "must be a purpose that there is, such as {}"
_ESSENTIAL = Problem(
    "purpose", "PURPOSE_ESSENTIAL", "is what customers have of us: a file ends it for nobody"
)
_SINCE = "is older than what they have said since, which stays"


class Said(NamedTuple):
    """One row: what somebody said, when, where, and what proves it."""

    person: Person
    about: str  # `newsletter.email`
    state: Consent.State.ValueType
    at: datetime | None
    source: str
    proof: str
    wording_version: str


class ConsentImporter(OfCustomers):
    """Rows become consents of the customer service, each in its place among what was said."""

    fields = (
        *("customer", "email", "purpose", "channel", "consent", "consent_date", "left_date", "source"),
        *("proof", "wording_version"),
    )
    required = ("purpose",)
    sources: Mapping[str, str] = {"effective_time": "consent_date", "state": "consent", "name": "channel"}

    def __init__(self, channel: Channels, customers: Customers) -> None:
        super().__init__(customers)
        self._consents = ConsentServiceStub(channel("customer"))
        self._purposes = PurposeServiceStub(channel("customer"))
        self._confirmed: dict[str, set[str]] = {}  # by purpose, the channels on which a yes is confirmed
        self._essential: set[str] = set()
        self._waits = 0

    def begin(self, reading: Reading) -> None:
        """UnreadableFile unless something says what was answered, too."""
        super().begin(reading)
        if not {"consent", "left_date"} & (reading.columns.keys() | reading.constants.keys()):
            raise UnreadableFile(
                "no column says yes or no: say which with --map consent=COLUMN, or which says when "
                "somebody left with --map left_date=COLUMN; where all of them said yes, --set consent=yes"
            )

    def parse(self, cells: Cells) -> Said:
        """A yes with its day, or a no. Without a channel it is of e-mail."""
        purpose = cells.text("purpose", required=True).lower().removeprefix("purposes/")
        purpose, _, of = purpose.partition(".")
        channel = (of or cells.text("channel") or "email").lower()
        channel = channel.replace("_", "-") if cells.notation.exact else channel.replace("-", "")
        if channel not in CHANNELS and not cells.notation.exact:
            cells.wrong("channel", "INVALID_CODE", f"must be one of {', '.join(CHANNELS)}")
        left = cells.moment("left_date", past=True)
        # Who left says no, whatever is said of the others.
        said = "no" if left else cells.text("consent", required=True)
        answer = plain(said) or said
        if answer and answer not in _YES | _NO:
            cells.wrong("consent", "INVALID_CODE", "must be yes or no, or a word for it such as unsubscribed")
        # A yes without a day is none against a no or a stop, of which the services alone know the last.
        at = left or cells.moment("consent_date", required=answer in _YES, past=True)
        return Said(
            person=person(cells),
            about=f"{purpose}.{channel}",
            state=Consent.STATE_GRANTED if answer in _YES else Consent.STATE_DENIED,
            at=at,
            source=re.sub("[^a-z0-9]+", "-", cells.text("source").lower()).strip("-")[:63] or "import",
            proof=cells.text("proof"),
            wording_version=cells.text("wording_version"),
        )

    async def send(self, items: list[tuple[Row, Said]]) -> int:
        """Note what is new, the oldest first. RowsRefused."""
        await self._require_purposes(items)
        names = await self.customers.of([said for _, said in items], self._checked)
        at_once = asyncio.Semaphore(AT_ONCE)
        known = sorted({*names} - {NOBODY})
        found = await asyncio.gather(*(self._held(name, at_once) for name in known))
        held = dict(zip(known, found, strict=True))
        created = 0
        of: dict[tuple[str, str], list[tuple[Row, Said]]] = defaultdict(list)
        for (row, said), name in zip(items, names, strict=True):
            key = name if name != NOBODY else f"{said.person}"
            of[key, said.about].append((row, said))
        for (name, about), rows in of.items():
            rows.sort(key=lambda each: _order(each[1].at, each[1].state))
            before = held.get(name, {}).get(about)
            for row, said in rows:
                if _is_known(said, before, row):
                    continue
                if noted := await self._noted(name, said, row):
                    created += before is None
                    self.corrected += before is not None
                    before = noted
        return created

    async def finish(self, result: Result) -> Mapping[int, Sequence[Problem]]:
        """Tell of how many a yes waits."""
        told = await super().finish(result)
        if waits := self._waits:
            would = "would be" if self.customers.dry_run else "is"
            result.notes.append(
                f"to be confirmed: {waits:,}; each {would} sent a link, for their purpose asks for it"
            )
        return told

    async def _require_purposes(self, items: list[tuple[Row, Said]]) -> None:
        if not self._confirmed:
            token = ""
            while True:
                asked = ListPurposesRequest(page_size=PAGE, page_token=token)
                listed = await self._purposes.ListPurposes(asked)
                self._essential |= {each.name for each in listed.purposes if each.essential}
                for each in listed.purposes:
                    self._confirmed[each.name] = {
                        Channel.Name(number).removeprefix("CHANNEL_").lower()
                        for number in each.double_opt_in_channels
                    }
                if not (token := listed.next_page_token):
                    break
        some = ", ".join(sorted(each.removeprefix("purposes/") for each in self._confirmed)[:5])
        wrong = Problem("purpose", "RESOURCE_NOT_FOUND", _NO_PURPOSE.format(some))
        refused: dict[int, list[Problem]] = {}
        for index, (_, said) in enumerate(items):
            purpose = f"purposes/{said.about.partition('.')[0]}"
            if purpose not in self._confirmed:
                refused[index] = [wrong]
            elif purpose in self._essential and said.state == Consent.STATE_DENIED:
                refused[index] = [_ESSENTIAL]
        if refused:
            raise RowsRefused(refused)

    async def _checked(self, names: list[str]) -> None:
        """Rows are right before anybody is made: their purposes are there."""

    async def _held(self, customer: str, at_once: asyncio.Semaphore) -> dict[str, Consent]:
        """What holds of a customer, `newsletter.email` and so on."""
        held, token = dict[str, Consent](), ""
        while True:
            asked = ListConsentsRequest(parent=customer, page_size=PAGE, page_token=token)
            async with at_once:
                listed = await self._consents.ListConsents(asked)
            held |= {each.name.rpartition("/")[2]: each for each in listed.consents}
            if not (token := listed.next_page_token):
                return held

    async def _noted(self, customer: str, said: Said, row: Row) -> Consent | None:
        """What is noted; in a dry run what would be. None where it is refused, of which the row has why."""
        name = f"{customer}/consents/{said.about}"
        consent = Consent(
            name=name,
            state=said.state,
            source=said.source,
            proof=said.proof,
            wording_version=said.wording_version,
        )
        if said.at:
            consent.effective_time.CopyFrom(timestamp(said.at))
        purpose, _, channel = said.about.partition(".")
        waits = said.state == Consent.STATE_GRANTED and channel in self._confirmed[f"purposes/{purpose}"]
        if not self.customers.dry_run:
            request = UpdateConsentRequest(consent=consent, allow_missing=True, request_id=str(uuid4()))
            try:
                consent = await self._consents.UpdateConsent(request)
            except grpc.aio.AioRpcError as error:
                told = refusal(error)
                if isinstance(told, InvalidArgument):
                    row.problems += [Problem(v.field, v.reason, v.description) for v in told.violations]
                elif told.reason == "CONSENT_SUPERSEDED":  # by what was noted since it was read what holds
                    row.told.append(Problem("", told.reason, _SINCE))
                elif told.reason in _OF_THE_ROW:
                    row.problems.append(Problem("", told.reason, told.message))
                else:
                    raise
                return None
        self._waits += waits
        return consent


def _is_known(said: Said, before: Consent | None, row: Row) -> bool:
    """Whether it changes nothing: the same was noted of then or of since, or something else, which stays.

    Of the same time a no holds, as in the ledger, and a yes that waits to be confirmed is a yes there.
    """
    if before is None:
        return False
    waits = before.HasField("confirm_expire_time") and not before.HasField("confirm_time")
    state = Consent.STATE_GRANTED if waits else before.state
    since = moment(before.effective_time)
    if said.at is None:  # a no of now, noted once: it is known where theirs was said as it was noted
        return state == said.state and since >= moment(before.update_time)
    if _order(said.at, said.state) > _order(since, state):
        return False
    if said.state != state:
        row.told.append(Problem("", "CONSENT_SUPERSEDED", _SINCE))
    return True


def _order(at: datetime | None, state: Consent.State.ValueType) -> tuple[float, bool]:
    """Its place among what they said; without a day it is of now."""
    return at.timestamp() if at else inf, state == Consent.STATE_DENIED

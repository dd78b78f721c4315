"""Links to customers' own pages, and what customers say by them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from chassis.api.entities import found
from chassis.db.statement import Executor
from chassis.db.transaction import Transaction
from chassis.errors import FailedPrecondition
from chassis.facts import Changes
from customer.domain.consents import CHANNEL_IDS, Consent, ConsentState, Preferences, ShownPreferences
from customer.domain.links import LinkKeys, LinkNotFound
from customer.domain.suppressions import AddressKey
from customer.domain.timeline import Channel
from customer.names import CUSTOMER
from customer.store import consents as consent_store
from customer.store import links as store
from customer.usecases.consents import shown, update_consent, update_preferences
from customer.usecases.customers import lock_customer
from customer.usecases.opening import linked
from customer.usecases.welcoming import welcome_again

_IDS: dict[Channel, str] = {channel: of for of, channel in CHANNEL_IDS.items()}


@dataclass(frozen=True, slots=True)
class SaidByLink:
    """What a customer says of one purpose on one channel."""

    purpose_id: str
    channel: Channel
    state: ConsentState
    wording: str


async def link_of(on: Executor, keys: LinkKeys, customer_id: UUID) -> str:
    """The token of a customer. NotFound; FailedPrecondition `NO_SELF_SERVICE_LINK_KEYS`."""
    held = await found(on, CUSTOMER, store.LINKED, customer_id)
    return keys.token(customer_id, held.generation)


async def consents_of(on: Executor, customer_id: UUID) -> list[Consent]:
    """What holds, as said by this name, whichever of theirs said it."""
    holding = await consent_store.HOLDING.all(on, customer_id=customer_id)
    return [replace(each, customer_id=customer_id) for each in holding]


async def own_preferences(on: Executor, customer_id: UUID) -> ShownPreferences:
    """How they want to be reached as said by this very name; with the version that a change follows."""
    said = await consent_store.PREFERENCES_OF.all(on, customer_id=customer_id)
    version = max((each.version for each in said), default=0)
    nothing = Preferences(customer_id, [], None, version)
    own = next((each for each in said if each.customer_id == customer_id), nothing)
    return await shown(on, replace(own, version=version))


async def submit_self_service_consents(
    tx: Transaction,
    keys: LinkKeys,
    addresses: AddressKey,
    *,
    token: str,
    consents: Sequence[SaidByLink],
    source: str,
) -> list[Consent]:
    """Note what a customer says by their link.

    LinkNotFound, NotFound for a purpose or a wording; FailedPrecondition PURPOSE_ESSENTIAL.
    """
    holder = await linked(tx, keys, token)
    await _require_stoppable(tx, {each.purpose_id for each in consents})
    proof = f"selfServiceLinks/{holder.generation}"
    await lock_customer(tx, holder.id)
    noted, own = [], []
    for each in sorted(consents, key=lambda said: (said.purpose_id, said.channel)):  # rows in one order
        consent_id = f"{each.purpose_id}.{_IDS[each.channel]}"
        held = await _said_already(tx, holder.id, consent_id, each.state)
        if held is None:
            said = Changes[Consent](state=each.state, source=source, wording=each.wording, proof=proof)
            held = await update_consent(
                tx,
                customer_id=holder.id,
                consent_id=consent_id,
                consent=said,
                changes=said,
                allow_missing=True,
                etag="",
            )
        if held.customer_id == holder.id:  # and of no other name, which may have confirmed it
            own.append(held)
        noted.append(replace(held, customer_id=holder.id))
    await welcome_again(tx, addresses, holder.id, own)
    return noted


async def _require_stoppable(tx: Transaction, purpose_ids: set[str]) -> None:
    for each in await consent_store.ALL_PURPOSES.all(tx):
        if each.essential and each.id in purpose_ids:
            told = f"{each.name} is of what customers have of us: they say it to a colleague, not by a link."
            raise FailedPrecondition("PURPOSE_ESSENTIAL", told, {"resource": each.name})


async def _said_already(
    tx: Transaction, customer_id: UUID, consent_id: str, state: ConsentState
) -> Consent | None:
    """What this name said, where it says the same and so does what holds, of whichever of their names.

    What a stop denies is not it: by that alone it would be allowed again once the stop is withdrawn.
    """
    about = {"customer_id": customer_id, "id": consent_id}
    own, holds = (
        await consent_store.OWN_CONSENT.maybe(tx, **about),
        await consent_store.CONSENT.maybe(tx, **about),
    )
    said = all(
        each and each.state is state and each.stop_time is None and not each.awaits_confirmation(tx.now)
        for each in (own, holds)
    )
    return own if said else None


async def submit_self_service_preferences(
    tx: Transaction,
    keys: LinkKeys,
    *,
    token: str,
    customer_id: UUID,
    changes: Changes[Preferences],
    etag: str,
) -> ShownPreferences:
    """Set how the customer whose link it is wants to be reached. LinkNotFound, also for another's name."""
    if (await linked(tx, keys, token)).id != customer_id:
        raise LinkNotFound()
    await update_preferences(tx, customer_id=customer_id, changes=changes, etag=etag)
    return await own_preferences(tx, customer_id)

"""Whether and where a customer may be contacted now."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID
from zoneinfo import ZoneInfo

from chassis.db.database import Database
from chassis.errors import NotFound
from customer.domain.contact import Contact, choose_contact
from customer.domain.customers import Customer
from customer.domain.quiet import quiet_at
from customer.domain.suppressions import AddressKey, suppressed
from customer.domain.timeline import Channel
from customer.domain.zones import zone_of
from customer.names import PURPOSE
from customer.store import consents as store
from customer.store.tables import identifiers_of
from customer.usecases.consents import preferences_of
from customer.usecases.suppressions import holding


async def check_contact(
    on: Database,
    addresses: AddressKey,
    customer: Customer,
    name_id: UUID,
    purpose_id: str,
    channels: Sequence[Channel],
    *,
    urgent: bool,
    app_for_everybody: bool,
    installation_zone: str,
) -> Contact:
    """Whether and where a customer, by the name `name_id`, may be contacted now. NotFound for the purpose."""
    # By the name that was asked for: they may just be told apart from the customer who was found.
    standings = await store.STANDINGS.all(on, customer_id=name_id, purpose_id=purpose_id)
    if not standings:
        raise NotFound(PURPOSE.format(purpose_id))
    preferences = await preferences_of(on, name_id)
    identifiers = (await identifiers_of(on, [name_id]))[name_id]
    purpose, hashes = standings[0], addresses.hashes_of(identifiers)
    kept = suppressed(
        identifiers,
        hashes,
        [
            each
            for each in await holding(on, [*hashes.values()])
            if each.keeps_from(
                purpose.legal_basis, purpose.category, essential=purpose.essential, urgent=urgent
            )
        ],
    )
    contact = choose_contact(
        standings,
        channels,
        preferences.channels,
        identifiers,
        kept,
        app_for_everybody=app_for_everybody,
    )
    zone = ZoneInfo(zone_of(customer, installation_zone).name)
    if urgent:
        contact = contact.past_quiet()
    else:
        # What lies in an app disturbs nobody who does not look there.
        hours = [] if contact.channel is Channel.APP else preferences.quiet_hours
        quiet = quiet_at(hours, preferences.pauses, zone, on.clock.now())
        contact = contact.unless(quiet, {"time_zone": zone.key, "preferences": preferences.name})
    language_code = preferences.language_code or customer.language_code
    return replace(
        contact,
        category=purpose.category,
        essential=purpose.essential,
        language_code=language_code,
        time_zone=zone.key,
    )

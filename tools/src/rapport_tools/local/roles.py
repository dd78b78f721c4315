"""What the local issuer's roles may do. In production the identity provider says so in the token."""

from importlib.metadata import entry_points


def _each(text: str) -> frozenset[str]:
    return frozenset(text.split())


READ_EVERYTHING = _each(
    """
    cases.agents.read cases.authority_policies.read cases.calendars.read cases.case_jobs.read
    cases.case_links.read cases.cases.read cases.clock_policies.read cases.clocks.read
    cases.departments.read cases.escalations.read cases.handoffs.read cases.notes.read
    cases.presences.read cases.promises.read cases.teams.read cases.topics.read cases.work_items.read
    customer.advice_answers.read customer.attachments.read
    customer.attribute_values.read customer.attributes.read customer.observations.read
    customer.consents.read customer.customer_merges.read customer.customers.read
    customer.customers.resolve customer.identifiers.read customer.import_jobs.read
    customer.import_profiles.read
    customer.match_candidates.read customer.match_jobs.read customer.match_parameters.read
    customer.preferences.read customer.purposes.read customer.relationships.read
    customer.section_schemas.read customer.suppressions.read customer.wordings.read
    customer.timeline_entries.read customer.customer_views.read customer.view_sections.read
    loyalty.exchange_rates.read
    loyalty.accounts.read loyalty.cards.read loyalty.earning_rules.read loyalty.earnings.read
    loyalty.goodwill.read loyalty.lots.read loyalty.memberships.read
    loyalty.programs.read loyalty.redemptions.read loyalty.reservations.read loyalty.rewards.read
    loyalty.purchases.read loyalty.reevaluation_jobs.read loyalty.tiers.read loyalty.transfers.read
    loyalty.units.read loyalty.vouchers.read
    loyalty.customer_values.read
    notifications.delivery_attempts.read notifications.inbox_messages.read notifications.notice_jobs.read
    notifications.notice_policies.read
    notifications.notices.read
    notifications.providers.read notifications.template_texts.read notifications.templates.read
    """
)
# What one needs with a customer on the line.
FRONT_LINE = _each(
    """
    cases.case_links.write cases.cases.write cases.clocks.write cases.escalations.write
    cases.notes.write cases.presences.write
    cases.promises.write cases.work_items.write
    customer.advice_answers.write customer.attachments.write
    customer.attribute_values.write customer.consents.write customer.self_service_links.revoke
    customer.customers.write
    customer.identifiers.verify customer.identifiers.write customer.import_profiles.write
    customer.match_candidates.write
    customer.observations.write customer.preferences.write customer.relationships.write
    customer.suppressions.write customer.timeline_entries.write
    loyalty.accounts.write loyalty.cards.write loyalty.goodwill.grant loyalty.memberships.write
    loyalty.redemptions.write
    loyalty.reservations.write
    loyalty.purchases.claim
    loyalty.vouchers.issue loyalty.vouchers.use
    notifications.notices.write
    """
)
# A department's systems: they work on their work items and feed in what they know.
BACK_OFFICE = _each(
    """
    cases.case_links.write cases.cases.write cases.clocks.write cases.escalations.write
    cases.notes.write
    cases.promises.write cases.work_items.write
    customer.attachments.write
    customer.customers.write customer.identifiers.verify customer.identifiers.write
    customer.import_jobs.write customer.import_profiles.write customer.observations.write
    customer.relationships.write
    customer.timeline_entries.write customer.view_sections.write
    loyalty.purchases.claim
    loyalty.purchases.write
    """
)
# Who is responsible for people, rules and money.
LEAD = _each(
    """
    cases.agents.write cases.authority_policies.write cases.calendars.write cases.case_jobs.write
    cases.clock_policies.write cases.departments.write cases.teams.write cases.topics.write
    customer.attachments.delete
    customer.attributes.write customer.customer_merges.write customer.customers.assign
    customer.customers.contact customer.import_jobs.write customer.match_jobs.write
    customer.match_parameters.write customer.purposes.write customer.section_schemas.write
    customer.suppressions.release customer.wordings.write
    loyalty.earning_rules.activate loyalty.earning_rules.write
    loyalty.exchange_rates.write loyalty.goodwill.approve loyalty.lots.write loyalty.memberships.close
    loyalty.memberships.merge loyalty.memberships.transfer loyalty.programs.write loyalty.purchases.write
    loyalty.reevaluation_jobs.write loyalty.rewards.write loyalty.tiers.write loyalty.units.write
    loyalty.vouchers.write
    notifications.notice_jobs.write notifications.notice_policies.write notifications.template_texts.approve
    notifications.template_texts.write notifications.templates.write
    """
)
# Who answers for all departments' promises changes the rows of each.
OVERSIGHT = frozenset({"cases.departments.administer"})
# Who runs the services, and sees what a failure meant to whom.
RUNNING = _each(
    """
    cases.clocks.reconcile
    notifications.notice_jobs.read notifications.notices.read
    notifications.providers.read notifications.providers.write
    customer.customers.read customer.customer_views.read customer.customer_views.rebuild
    customer.timeline_entries.read
    """
) | {
    f"{service}.operations.{verb}"
    for service in entry_points(group="rapport.services").names
    for verb in ("read", "write")
}

ROLES: dict[str, frozenset[str]] = {
    "agent": READ_EVERYTHING | FRONT_LINE,
    "department": READ_EVERYTHING | BACK_OFFICE,
    "manager": READ_EVERYTHING | FRONT_LINE | BACK_OFFICE | LEAD,
    "relations": READ_EVERYTHING
    | FRONT_LINE
    | {"customer.customers.assign", "customer.customer_merges.write"},
    "supervisor": READ_EVERYTHING | FRONT_LINE | BACK_OFFICE | LEAD | OVERSIGHT,
    "auditor": READ_EVERYTHING,
    "sre": RUNNING,
    "admin": frozenset({"*"}),
}

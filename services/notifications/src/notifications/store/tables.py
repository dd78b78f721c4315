"""The service's tables, of the entities that they hold."""

import sqlalchemy as sa

from chassis.db.tables import table
from notifications.domain.attempt import Attempt
from notifications.domain.notice import Notice
from notifications.domain.policy import NoticePolicy
from notifications.domain.template import Template, Text

METADATA = sa.MetaData()

TEMPLATES = table(METADATA, "templates", Template)
# Words, by version: a new version never changes an old one.
TEXTS = table(METADATA, "texts", Text, key=("template_id", "language", "version"))
# Which facts lead to which notices, by version; the highest holds, unless it is that it was deleted.
POLICIES = table(METADATA, "policies", NoticePolicy, key=("id", "version"))
# Notices, which the work table has sent: never an address, a name or a rendered text.
NOTICES = table(METADATA, "notices", Notice)
# Every attempt to hand a notice to a provider.
ATTEMPTS = table(METADATA, "attempts", Attempt, key=("notice", "number"))

"""How many days tables are kept that are kept by partition.

The database has them in `keeping`, which the first migration fills and only the tables' owner writes. Its
functions make the next partitions, and remove only what is past its keeping, whoever calls them: see
`chassis.db.maintain`. Of facts that the outbox lets go of, and of events that the inbox does, the causes
stay, in `causes`.
"""

OUTBOX_DAYS = 14
INBOX_DAYS = 30
# Unless the owner is told otherwise, by the settings of `migrate`.
CAUSES_DAYS = 400
AUDIT_DAYS = 3660

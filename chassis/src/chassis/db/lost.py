"""The errors that mean that a connection is lost: cut, refused, or confused by being cut in mid-sentence."""

import asyncpg

# InternalClientError is what the driver raises when a connection breaks in the middle of a statement.
LOST = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
)

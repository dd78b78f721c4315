from urllib.parse import urlsplit

from cases.service import service
from rapport_testing.wait import eventually


async def test_each_start_has_a_database_of_its_own_and_what_was_left_is_dropped(infrastructure):
    urls = [await infrastructure.fresh_database(service.name, service.migrations) for _ in range(4)]
    names = {urlsplit(url).path[1:] for url in urls}
    assert len(names) == 4

    async def there():
        async with infrastructure.superuser(infrastructure.postgres_url) as admin:
            rows = await admin.fetch("SELECT datname FROM pg_database")
        return names & {row["datname"] for row in rows}

    assert await there() == names
    for url in urls:
        infrastructure.leave_database(url)

    async def gone():
        return not await there()

    await eventually(gone)

"""Customers are found by whatever one has of them."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from google.type.postal_address_pb2 import PostalAddress

from chassis.db.migrate import migrate
from chassis.db.schema import AUDIT
from chassis.db.statement import Statement
from customer.service import service
from customer.store import search
from customer.usecases.resolve import wanted
from rapport.customer.v1.customer_pb2 import Address, Customer, Organization, Person
from rapport.customer.v1.customer_service_pb2 import SearchCustomersRequest, UpdateCustomerRequest
from rapport.customer.v1.identifier_pb2 import Identifier
from rapport_testing.engines.postgres import owner_of
from rapport_testing.plans import rows_read
from rapport_testing.wait import eventually


async def matches(desk, query, **paging):
    return list((await desk.customers.SearchCustomers(SearchCustomersRequest(query=query, **paging))).matches)


async def found(desk, query):
    return [match.customer.name for match in await matches(desk, query)]


SPELLINGS = [
    "+49 30 901820",
    "+49 (0)30 / 90 18 20",
    "0049 30 901820",
    "011 49 30 901820",
    "4930901820",
    "030 901820",
    "(030) 90-18-20",
    "tel:+49-30-901820",
    "٠٣٠٩٠١٨٢٠",
    "901820",
    "1820",
    "+49\u00a030\u00a0901820",
    "+49\u2009(0)30\u202f901820",
    "0049 (0) 30 / 90 18 20",
    "030\u2013901820",
    "\u200f+49 30 901820\u200f",
    "\u200e0049 [0]30 901820",
    "+49(0)30901820".translate({each: each + 0xFEE0 for each in range(0x21, 0x7F)}),  # of full width
    "\u202a+49 30 901820\u202c",
    "0049-(0)30-901820\t\n",
    "030\u200b9018\u00ad20",
]


async def test_a_number_is_found_however_it_is_spelt_and_by_its_last_digits(desk):
    anna = await desk.create(desk.phone("030 901820"), region_code="DE")
    await desk.create(desk.phone("+49 30 901821"))
    for spelling in SPELLINGS:
        assert [(match.customer, match.identifier) for match in await matches(desk, spelling)] == [
            (anna, anna.identifiers[0].name)
        ], spelling


async def test_extensions_are_found_by_their_number_and_the_one_that_is_asked_for_alone(desk):
    desk_phone, other = [
        (await desk.create(desk.phone(f"+49 30 901820 ext. {extension}"))).name for extension in (1, 2)
    ]
    switchboard = (await desk.create(desk.phone("+49 30 901820"))).name
    assert await found(desk, "+49 30 901820 ext. 2") == [other]
    assert await found(desk, "+49 30 901820") == [switchboard, desk_phone, other]
    assert await found(desk, "030 901820") == [desk_phone, other, switchboard]


async def test_a_number_that_is_shared_finds_all_who_have_it_each_once(desk):
    household = [await desk.create(desk.phone("+49 30 901820")) for _ in range(3)]
    fax = Identifier(type=Identifier.TYPE_FAX, value="+49 30 901820")
    both = await desk.create(desk.phone("+49 30 901820"), fax)
    assert await found(desk, "030 901820") == [each.name for each in [*household, both]]
    assert await found(desk, "+49 30 901820") == [each.name for each in [*household, both]]


async def test_a_handle_is_found_whole_of_whatever_type_it_is(desk):
    social = Identifier(type=Identifier.TYPE_SOCIAL, system="mastodon", value="@Anna@social.example")
    account = Identifier(type=Identifier.TYPE_ACCOUNT_NUMBER, value="K-10042/7")
    anna = await desk.create(desk.email("Anna.Berg@Example.com"), social, account, desk.external("shop:1042"))
    await desk.create(desk.external("crm:10429"))
    for query, at in {
        "anna.berg@EXAMPLE.com": 0,
        "@anna@social.example": 1,
        " K-10042/7 ": 2,
        "1042": 3,
        "shop:1042": 3,
        "SHOP:1042": 3,
    }.items():
        (match,) = await matches(desk, query)
        assert (match.customer.name, match.identifier) == (anna.name, anna.identifiers[at].name)
    for query in ("crm:1042", "K-10042", "anna.berg@example.co", "104"):
        assert await found(desk, query) == []


async def test_the_name_of_a_customer_finds_them(desk, nobody):
    anna = await desk.create()
    (match,) = await matches(desk, anna.name)
    assert (match.customer, match.identifier) == (anna, "")
    assert await found(desk, nobody) == []


NAMED = {
    "Erika Sommer": ["Erika Sommer", "sommer erika", "SOM ER", "erika", "so"],
    "Müller-Lüdenscheidt": ["Müller-Lüdenscheidt", "MULLER", "Lüdenscheidt", "mu\u0308ller"],
    "Renée Strauß": ["renee strauss", "STRAUẞ", "Strauß"],
    "Søren Kjær": ["soren kjaer", "Søren"],
    "Łukasz Y\u0131ld\u0131z": ["lukasz", "ŁUKASZ YILDIZ"],
    "O'Brien": ["O'Brien", "o\u2019brien", "brien"],
    "Жуков Пётр": ["жуков", "ПЕТР ЖУК", "Пётр"],
    "Σοφία Παππάς": ["ΠΑΠΠΑΣ", "σοφια παππας"],
    "山田 太郎": ["山田", "太郎 山田", "山田\u3000太"],
    "김철수": ["김철수", "김철"],
    "ジョン・スミス": ["スミス", "ジョン"],
    "أحمد محمد": ["احمد", "محمد أَحْمَد"],
    "St.Pauli a/b & Co. (Nord)": ["pauli", "co nord", "st. pauli", "a/b & co"],
    "100% Bio_Hof": ["100%", "bio_hof"],
}


async def test_words_find_names_by_how_they_begin_in_any_order_and_every_script(desk):
    for name, asked in NAMED.items():
        named = await desk.create(display_name=name)
        for query in asked:
            assert [(match.customer.name, match.identifier) for match in await matches(desk, query)] == [
                (named.name, "")
            ], query


async def test_each_of_a_customers_names_is_searched_and_all_words_are_in_them(desk):
    anna = await desk.create(given_name="Anna", family_name="Berg", display_name="Änni")
    works = await desk.create(organization=Organization(legal_name="Bergwerk Annaberg AG"))
    assert await found(desk, "anni anna berg") == [anna.name]
    assert await found(desk, "anna berg") == [anna.name, works.name]
    assert await found(desk, "berg ag") == [works.name]
    assert await found(desk, "anna sommer") == []
    assert await found(desk, "erg") == []


def living(city):
    return Address(type=Address.TYPE_HOME, postal_address=PostalAddress(region_code="DE", locality=city))


async def test_the_city_of_an_address_is_one_of_the_words(desk):
    anna = await desk.create(
        given_name="Anna", family_name="Berg", addresses=[living("Köln"), living("Bad Homburg")]
    )
    await desk.create(given_name="Anna", family_name="Berg", addresses=[living("Berlin")])
    for query in ("anna koln", "Köln", "homburg berg", "bad hom"):
        assert await found(desk, query) == [anna.name], query


MISTAKEN = {
    "Erika Sommer": ["erika somer", "erkia sommer", "Ericka Sommer", "sommmer", "smomer"],
    "Friedrich Müller": ["freidrich", "fridrich mueller", "Freidrich Müler", "müllar fried"],
    "Katarzyna Wojciechowska": ["wojcechovska", "Katarzina Wojciehowska"],
    "Алексей Смирнов": ["алексеи смирнофф", "Аликсей", "смринов"],
    "Blumenhandel Sonnenschein": ["blumehandel", "sonnenshein blumen"],
}


async def test_a_word_is_found_that_is_one_letter_off_or_two_of_a_long_one_or_has_two_changed_places(desk):
    named = {name: (await desk.create(display_name=name)).name for name in MISTAKEN}
    for name, queries in MISTAKEN.items():
        for query in queries:

            async def is_found(query=query, name=name):  # words are learnt from what was told
                assert await found(desk, query) == [named[name]], query
                return True

            await eventually(is_found)


async def test_what_is_too_short_or_has_digits_is_not_mistaken_for_another(desk):
    await desk.create(display_name="Ida Ort 47110")
    bert = await desk.create(display_name="Berta")

    async def is_learnt():
        return await found(desk, "bertha") == [bert.name]

    await eventually(is_learnt)
    for query in ("ila", "oat", "47111", "berrthhaa"):
        assert await found(desk, query) == [], query


async def test_exact_words_come_before_their_beginnings_before_what_is_spelt_nearly_so(desk):
    near = await desk.create(display_name="Erika Sommar")
    begins = await desk.create(display_name="Erika Sommerfeld")
    exact = await desk.create(display_name="Sommer, Erika")
    number = await desk.create(desk.external("crm:sommer"), display_name="Else")

    async def all_of_them():
        return await found(desk, "sommer") == [each.name for each in (number, exact, begins, near)]

    await eventually(all_of_them)


async def test_words_of_a_name_that_changed_are_learnt(desk):
    anna = await desk.create(given_name="Anna")
    person = Person(given_name="Roswitha")
    await desk.customers.UpdateCustomer(
        UpdateCustomerRequest(customer=Customer(name=anna.name, person=person))
    )

    async def is_found():
        return await found(desk, "rosvitha") == [anna.name]

    await eventually(is_found)


async def test_what_databases_obey_is_text(desk):
    await desk.create(given_name="Bert", family_name="Berg")
    for query in ("%%", "__", "' OR 1=1 --", "a:* | b", "!anna", "\\\\", "''", "((", "&|", "<->", "b*t"):
        assert await found(desk, query) == [], query


async def test_nothing_is_found_by_too_little(desk, refused):
    for query, reason in (("", "REQUIRED"), (" ", "REQUIRED"), (" a ", "TOO_SHORT"), ("x" * 201, "TOO_LONG")):
        call = desk.customers.SearchCustomers(SearchCustomersRequest(query=query))
        assert await refused(call) == f"INVALID_ARGUMENT {reason}"


async def test_an_identifier_comes_before_an_end_before_a_name_in_pages(desk, refused):
    named = [(await desk.create(display_name=f"4711 Nr. {n}")).name for n in range(3)]
    ends = (await desk.create(desk.phone("+49 30 904711"), display_name="4711")).name
    has = (await desk.create(desk.external("crm:4711"), display_name="4711")).name
    listed, token = [], ""
    for _ in range(3):
        request = SearchCustomersRequest(query="4711", page_size=2, page_token=token)
        page = await desk.customers.SearchCustomers(request)
        listed += [match.customer.name for match in page.matches]
        token = page.next_page_token
    assert (listed, token) == ([has, ends, *named], "")
    first = await desk.customers.SearchCustomers(SearchCustomersRequest(query="4711", page_size=2))
    other = SearchCustomersRequest(query="4712", page_token=first.next_page_token)
    assert await refused(desk.customers.SearchCustomers(other)) == "INVALID_ARGUMENT INVALID_PAGE_TOKEN"


async def test_a_page_is_short_unless_asked_for_and_never_longer_than_a_hundred(desk):
    async with desk.running.db.connection() as connection:
        await connection.execute(MANY, 120)
    assert len(await matches(desk, "sommer")) == 20
    assert len(await matches(desk, "sommer", page_size=1000)) == 100


async def test_whom_a_search_has_found_is_in_the_audit_and_not_by_what(desk):
    anna = await desk.create(desk.email("anna@example.com"))
    why = (("access-purpose", "complaint"),)
    await desk.customers.SearchCustomers(SearchCustomersRequest(query="anna@example.com"), metadata=why)
    reading: Statement[Any] = Statement(sa.select(AUDIT).where(AUDIT.c.what.like("%/SearchCustomers")))

    async def there():
        rows = await reading.all(desk.running.db)
        told = [(row["resources"], row["purpose"], row["actor"]) for row in rows]
        assert told == [(anna.name, "complaint", "agent:alice")]
        assert "example.com" not in str(rows)
        return True

    await eventually(there)


LATEST = UUID(int=2**128 - 1)  # nobody is so new
MANY = """
    WITH made AS (
        INSERT INTO customers
        SELECT gen_random_uuid(), 'Erika Sommer ' || n, '', '', '', '', '', '', '', '', '', 'en', 'UTC', '',
               'agents/a', now(), now(), 1
        FROM generate_series(1, $1::integer) n
        RETURNING id
    )
    INSERT INTO identifiers
    SELECT gen_random_uuid(), id, 'PHONE', '', '', '+4930' || 1000000 + row_number() OVER (), 'VALID', now()
    FROM made
"""


async def searched(connection, query, near_asked=(), near_words=()):
    """Of each statement of a search that is made, how it was carried out, and what it found."""
    asked = {"near_asked": list(near_asked), "near_words": list(near_words), "latest_id": LATEST}
    made, found = [], 0
    for statement in (search.FOUND, search.FOUND_BY_BEGINNING, search.FOUND_BY_SPELLING):
        if found < search.FOUND_MAX:
            arguments = statement.arguments({**wanted(query).parameters(), **asked})
            plan = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement.sql}", *arguments)
            rows = await connection.fetch(statement.sql, *arguments)
            made.append((plan, rows))
            found += len(rows)
    return made


async def test_what_a_search_reads_does_not_grow_with_how_many_customers_there_are(desk, infrastructure):
    """Of ten thousand it reads those that it finds, and of more than it may find no more than that."""
    anna = await desk.create(desk.phone("+49 40 765432"), desk.external("crm:K1"), display_name="Anna Berg")
    few = (anna.name, "crm:K1", "040 765432", "+49 40 765432", "5432", "anna", "berg sommer", "x1")
    async with infrastructure.superuser(desk.running.db._url) as connection:
        await connection.execute(MANY, 10_000)
        await connection.execute("ANALYZE customers, identifiers")
        for query, most in (
            *((each, 9) for each in few),
            ("0000", search.FOUND_MAX),
            ("so", search.FOUND_MAX),
        ):
            plans = [plan for plan, _ in await searched(connection, query, ["berg"], ["berk"])]
            assert sum(rows_read(plan, "customers") for plan in plans) <= most, query
            assert rows_read(plans[0], "identifiers") <= most, query


async def test_a_migration_that_was_interrupted_is_run_again(infrastructure):
    """Indexes that are made while others write stay behind, half made, when that ends too early."""
    url = await infrastructure.fresh_database("customer", service.migrations)
    async with infrastructure.superuser(url) as connection:
        await connection.execute(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'customers_names'::regclass"
        )
        await connection.execute("ALTER TABLE timeline DROP COLUMN reason_code")  # of later ones
        await connection.execute("DROP TABLE customer_merges; DROP SEQUENCE customer_merge_sequence")
        await connection.execute("""
            DROP TABLE match_keys, match_records, match_candidates, match_parameters, match_jobs, match_queue;
            DROP FUNCTION queue_changed_customers, queue_customers_of_identifiers CASCADE;
            ALTER TABLE customers DROP COLUMN profile_sources;
            ALTER TABLE import_jobs DROP COLUMN system;
            DROP TABLE attributes, observations, attribute_candidates, attribute_pins CASCADE
            """)
        await connection.execute(
            "UPDATE alembic_version SET version_num = 'customer_0001' WHERE version_num LIKE 'customer_%'"
        )
        database = await connection.fetchval("SELECT current_database()")
        await migrate(
            infrastructure.postgres.url_for(database, owner_of("customer")), service.migrations, "customer"
        )
        assert not await connection.fetchval("SELECT count(*) FROM pg_index WHERE NOT indisvalid")
    await infrastructure.drop_database(url)


async def test_a_beginning_that_many_have_finds_some_word_by_word_and_reads_no_more(desk, infrastructure):
    """Of `wald`, of which a thousand begin a word, as many as are ever found; of two words all are read."""
    async with infrastructure.superuser(desk.running.db._url) as connection:
        await connection.execute(
            MANY.replace("'Erika Sommer ' || n", "'Erika Wald' || chr(97 + n % 8)"), 2000
        )
        await connection.execute(
            "INSERT INTO search_words SELECT 'wald' || chr(97 + n) FROM generate_series(0, 7) n"
        )
        await connection.execute("ANALYZE customers, identifiers, search_words")
        made = await searched(connection, "wald")
    assert sum(rows_read(plan, "customers") for plan, _ in made) == search.FOUND_MAX
    assert len({row["customer_id"] for _, rows in made for row in rows}) == search.FOUND_MAX
    assert len(await matches(desk, "walda", page_size=100)) == 100
    assert len(await found(desk, "erika wald")) == 20


async def test_of_a_word_that_many_have_some_are_found_among_an_eighth_and_no_list_of_all_is_read(
    desk, infrastructure
):
    """Of two thousand named alike 250 are of the eighth; of fifty who have two words all are found."""
    async with infrastructure.superuser(desk.running.db._url) as connection:
        await connection.execute(MANY, 2000)
        await connection.execute("ANALYZE customers, identifiers")
        [(plan, rows)] = await searched(connection, "erika")
        assert rows_read(plan, "customers") <= 2 * search.FOUND_MAX  # and not of the eighth, if that were few
        assert len({row["customer_id"] for row in rows}) == search.FOUND_MAX
        assert all(row["customer_id"].bytes[-1] % 8 == 0 for row in rows)
    berlin = Address(postal_address=PostalAddress(region_code="DE", locality="Berlin"))
    some = [await desk.create(display_name=f"Erika Sommer {n}", addresses=[berlin]) for n in range(20)]
    assert set(await found(desk, "erika berlin")) == {each.name for each in some}


async def test_a_name_written_without_spaces_is_found_by_each_of_its_parts(desk):
    wang = (await desk.create(display_name="王小明")).name
    kim = (await desk.create(display_name="김철수")).name
    sato = (await desk.create(display_name="さとうはなこ")).name
    for query, name in {"小明": wang, "王小明": wang, "王小": wang, "철수": kim, "はなこ": sato}.items():
        assert await found(desk, query) == [name], query

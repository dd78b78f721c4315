import pytest

from chassis.zones import country_zone, places, time_zone


@pytest.mark.parametrize("name", ["Europe/Berlin", "America/Argentina/Ushuaia", "UTC", "Etc/GMT+12"])
def test_a_name_of_the_iana_database_is_a_time_zone(name):
    assert str(time_zone(name)) == name


@pytest.mark.parametrize(
    "name",
    [
        "localtime",
        "Factory",
        "posixrules",
        "europe/berlin",
        "Europe",
        "Europe/Berlin/",
        "zone.tab",
        "right/UTC",
        "../UTC",
        "/etc/localtime",
        "posix/UTC",
        "GMT+25",
    ],
)
def test_what_a_machine_or_nobody_calls_so_is_no_time_zone(name):
    assert time_zone(name) is None


@pytest.mark.parametrize(
    ("region_code", "zone"),
    [
        ("DE", "Europe/Berlin"),
        ("JP", "Asia/Tokyo"),
        ("KZ", "Asia/Almaty"),
        ("GB", "Europe/London"),
        ("CN", "Asia/Shanghai"),
        ("UA", "Europe/Kyiv"),
    ],
)
def test_a_country_where_nearly_all_keep_one_time_has_a_zone(region_code, zone):
    assert country_zone(region_code) == zone


@pytest.mark.parametrize("region_code", ["US", "RU", "BR", "AU", "CA", "MX", "", "de", "XX"])
def test_a_country_of_several_times_has_none_and_neither_has_what_is_no_country(region_code):
    assert country_zone(region_code) == ""


def test_people_live_in_time_zones_that_there_are():
    assert {"Europe/Berlin", "America/New_York"} < {*places()}
    assert all(map(time_zone, places()))

import pytest

from chassis.zones import time_zone


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

import pytest

from chassis.api.resources import resource


def test_who_refers_to_a_resource_that_no_installed_contract_describes_is_told_what_to_do():
    with pytest.raises(LookupError, match=r"gifts.acme/Gift.* entry point group 'rapport.contracts'"):
        resource("gifts.acme/Gift")

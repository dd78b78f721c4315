import pytest

from chassis.api.addresses import address_of


@pytest.mark.parametrize(
    ("given", "spec"),
    [
        ("anna@bücher.example", "anna@xn--bcher-kva.example"),
        ("anna@straße.example", "anna@xn--strae-oqa.example"),
        ("o'neil+x@example.com", "o'neil+x@example.com"),
        ("foo..bar.@mobile.example", '"foo..bar."@mobile.example'),
        ("a@intranet", "a@intranet"),
    ],
)
def test_an_address_is_written_so_that_every_server_can_read_it(given: str, spec: str) -> None:
    address = address_of(given)
    assert address
    assert (address.spec, address.needs_utf8) == (spec, False)


def test_only_a_local_part_that_is_not_ascii_needs_a_server_with_smtputf8() -> None:
    address = address_of("jörg@bücher.example")
    assert address
    assert (address.spec, address.needs_utf8) == ("jörg@xn--bcher-kva.example", True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        '"',
        "a@[",
        "a@",
        "@b",
        "a b@example.com",
        "a@exa mple.com",
        "a@example.com\r\nRCPT TO:<eve@example.com>",
        "a\x00@example.com",
        "a@-b.example",
        "a@b..example",
        "=?utf-8?q?=0d=0aBcc:evil@x?=",
        "x" * 65 + "@example.com",
        "an\u200bna@example.com",
        "anna@exam\u00adple.com",
        "\u3164@example.com",
        "anna\uff20example.com",
    ],
)
def test_what_is_no_address_is_none(text: str) -> None:
    assert address_of(text) is None

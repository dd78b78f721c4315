"""A text takes as many segments as a telephone network makes of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.domain.segments import segments

GSM = "@£$¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉÄÖÑÜ§¿äöñüàabcXYZ019 !?\n"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("€" * 152, 2),  # one of two septets fits in no last place: 76 in each
        ("€" * 153, 3),
        ("a" * 152 + "€" + "a" * 152, 3),
        ("ß" * 160, 1),
        ("ẞ" * 70, 1),
        ("ẞ" * 71, 2),
        ("ẞ" * 134, 2),
        ("ẞ" * 135, 3),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("😀" * 66, 2),  # 33 in each: none is torn
        ("😀" * 67, 3),
        ("`" * 70, 1),  # no letter of the alphabet
        ("`" * 71, 2),
    ],
)
def test_what_the_standard_says(text: str, count: int) -> None:
    assert segments(text) == count


@given(st.text(st.sampled_from(GSM), max_size=600))
def test_septets_fill_segments(text: str) -> None:
    expected = 1 if len(text) <= 160 else -(-len(text) // 153)
    assert segments(text) == expected


@given(st.text(max_size=300), st.text(max_size=20))
def test_more_text_takes_no_fewer_segments(text: str, more: str) -> None:
    assert segments(text) <= segments(text + more)


@given(st.text(max_size=300).filter(lambda text: any(ord(letter) > 0x2FFF for letter in text)))
def test_no_fewer_than_the_bytes_need(text: str) -> None:
    units = len(text.encode("utf-16-le", "surrogatepass")) // 2
    assert segments(text) >= -(-units // (70 if units <= 70 else 67))

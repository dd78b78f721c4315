"""What shows as an empty line is no name, and what people write in any script is one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.api.messages import seen
from chassis.visible import hides_something, shows_something

FORMATS = [0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x061C, 0x2060, 0xFEFF, 0x00AD, 0x180E, 0xE0041]
BLANKS = [0x034F, 0x115F, 0x1160, 0x3164, 0xFFA0, 0x2800, 0x17B4, 0xFE0F, 0xFFFC, 0xE0100, 0x1D159, 0x13441]
OTHERS = [0x0301, 0x3000, 0xE000, 0xF8FF, 0x0378]  # a mark, a space, private use, not assigned


@pytest.mark.parametrize("nothing", [*map(chr, FORMATS + BLANKS + OTHERS)])
def test_text_without_anything_to_see_is_absent(nothing: str) -> None:
    for text in (nothing, nothing * 5, f" {nothing}\u200b\n"):
        assert seen(text) == ""
    assert seen(f"{nothing}Anna") == f"{nothing}Anna"


@given(st.text(st.characters(categories=["Cc", "Cf", "Cs", "Co", "Zs", "Zl", "Zp", "Mn", "Mc", "Me"])))
def test_no_format_character_space_or_mark_is_anything_to_see(text: str) -> None:
    assert not shows_something(text)


@given(st.text(st.characters(categories=["Cf", "Co"]), min_size=1), st.text())
def test_what_cannot_be_seen_is_found_anywhere(hidden: str, text: str) -> None:
    assert hides_something(f"{text}{hidden}{text}")


@given(st.text(st.characters(max_codepoint=0x7E, min_codepoint=0x20)))
def test_of_plain_text_everything_is_seen(text: str) -> None:
    assert not hides_something(text)
    assert shows_something(text) == bool(text.strip())

"""How many text messages a text is, by 3GPP TS 23.038 and 23.040.

In septets where the default alphabet has every letter, else in UCS-2.
"""

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_ESCAPED = frozenset("\f^{}\\[~]|€")  # two septets each
_GSM = 160, 153  # septets of one alone, and of each of several
_UCS2 = 70, 67  # units of 16 bits
_BEYOND = 0xFFFF


def segments(text: str) -> int:
    """How many segments the text takes. No letter is torn: one for which there is no room begins the next."""
    if all(letter in _BASIC or letter in _ESCAPED for letter in text):
        alone, each = _GSM
        sizes = [2 if letter in _ESCAPED else 1 for letter in text]
    else:
        alone, each = _UCS2
        sizes = [2 if ord(letter) > _BEYOND else 1 for letter in text]
    if sum(sizes) <= alone:
        return 1
    count, used = 1, 0
    for size in sizes:
        if used + size > each:
            count, used = count + 1, 0
        used += size
    return count

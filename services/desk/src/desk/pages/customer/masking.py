"""Ways to reach a customer, masked before they leave the desk."""


def masked(kind: str, value: str) -> str:
    """Enough of a handle to tell it from another, too little to use it."""
    if kind == "EMAIL":
        local, _, domain = value.partition("@")
        return f"{_begun(local)}@{domain}"
    if kind in ("PHONE", "FAX"):
        return f"… {value[len(value) - min(3, len(value) // 2) :]}"
    return _begun(value)


def _begun(text: str) -> str:
    """Two characters, and at most half of what there is."""
    return f"{text[: min(2, len(text) // 2)]}…"

"""Ways to reach a customer, masked before they leave the desk."""


def masked(kind: str, value: str) -> str:
    """Enough of a handle to tell it from another, too little to use it."""
    if kind == "EMAIL":
        local, _, domain = value.partition("@")
        return f"{local[:2]}…@{domain}"
    if kind in ("PHONE", "FAX"):
        return f"… {value[-3:]}"
    return f"{value[:2]}…" if len(value) > 2 else "…"

"""Codes that forms offer by their words, which `desk.ui.words` has."""

TOPICS = ("late-delivery", "damaged", "complaint", "order-delivery")
RESOLUTIONS = ("settled", "delivered", "refunded")
REOPENINGS = ("not-settled", "happened-again", "our-mistake")
PROMISES = ("call-back", "delivery", "refund", "installation", "repair")
TASKS = ("deliver-order", "pack-order", "refund-shipping", "call-back", "repair")
DELAYS = ("carrier-delay", "out-of-stock", "weather", "staff-shortage", "other")
CHANGES = ("customer-away", "carrier-delay", "out-of-stock", "other")
WITHDRAWALS = ("customer-cancelled", "customer-agreed", "our-mistake", "out-of-stock")
HARMS = ("promise-broken", "our-mistake", "late-delivery", "damaged")

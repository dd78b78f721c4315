"""Files of customers, purchases, orders and consents: brought, understood, looked at, imported, mended."""

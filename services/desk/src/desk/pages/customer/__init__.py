"""The customer page: everything about one customer on one screen, worst first, live."""

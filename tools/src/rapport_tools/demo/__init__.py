"""`rapport demo`: one promise at risk, from the forecast to the customer's mailbox, live."""

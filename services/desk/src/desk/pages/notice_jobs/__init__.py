"""One message to many customers: who is told and who not, and how far it is."""

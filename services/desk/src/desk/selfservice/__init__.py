"""The customer's own pages, `/c/{token}`: whoever holds the link sees and says what is of its name."""

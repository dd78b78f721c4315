"""How departments keep their promises, by week, as pictures with the figures under them."""

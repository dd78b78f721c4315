"""`rapport demo`: a relationship in three acts, live, in the terminal and on the desk at once."""

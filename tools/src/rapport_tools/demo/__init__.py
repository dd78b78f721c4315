"""`rapport demo`: a relationship in four acts, live, in the terminal and on the desk at once."""

"""Tables, and every SQL statement, compiled once."""

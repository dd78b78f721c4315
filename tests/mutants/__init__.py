"""Whether the unit tests notice when a rule is wrong: `make mutants`."""

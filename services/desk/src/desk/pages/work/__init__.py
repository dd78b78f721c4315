"""My work: what I and my department have to do, soonest first."""

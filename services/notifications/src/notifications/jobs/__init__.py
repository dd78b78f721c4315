"""Work that reaches outside: handing notices to a provider."""

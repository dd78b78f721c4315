"""Facts between services: what they are called, what travels, who hears it, the broker that carries it."""

"""Facts between services: outbox and relay on one side, consumer and inbox on the other, JetStream between them."""

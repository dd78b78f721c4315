"""One asynchronous function for each verb."""

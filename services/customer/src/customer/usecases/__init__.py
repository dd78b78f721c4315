"""One function for each verb, in the transaction its caller opened."""

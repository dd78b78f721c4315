"""One async function for each verb, in the transaction that the RPC, the event or the timer opened."""

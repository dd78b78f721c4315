"""One async function for each verb. It runs in the transaction of an RPC, an event or a timer, and never opens one."""

"""The ledger of promises: what was promised to whom, what moved and why, and who was told when and how."""

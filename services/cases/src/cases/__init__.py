"""The cases service: end-to-end cases, work items and the promise ledger."""

"""The rules of cases, work items and promises: pure Python, no database, no wire format."""

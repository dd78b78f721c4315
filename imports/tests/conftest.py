from imports.tests.test_kinds import read

__all__ = ["read"]

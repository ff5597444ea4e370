"""A stored run in other programs' formats."""

"""The client of Headcount."""

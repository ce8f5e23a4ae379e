"""Benchmarks: the questions of the target table, their floors, and the systems a user would pick instead."""

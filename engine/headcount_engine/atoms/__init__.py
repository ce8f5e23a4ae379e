"""Predicates in use by live segments, shared between them and kept current by writes and the clock."""

"""Whom to reach: audiences resolved step by step, kept for a while, read in pieces, shown and written out."""

"""Saved segments: what they are called, what they say, and who refers to whom."""

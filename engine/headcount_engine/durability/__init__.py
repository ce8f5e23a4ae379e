"""Bytes on disk. Imports nothing above `model`; only the database imports it."""

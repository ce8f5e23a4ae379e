"""Compiled loops: free functions of arrays, outputs allocated by the caller, no classes, no GIL.

A kernel trusts its arguments: an index out of range is undefined. Each has one caller that validates.
"""

"""Generated from proto/headcount/v1 by proto/generate.py; not edited by hand."""

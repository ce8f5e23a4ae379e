"""The Headcount server: the contract of `headcount.v1` over the engine, and the command line."""

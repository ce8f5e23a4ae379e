"""A second, naive implementation of every condition: lists, dicts and exact fractions, no index and no cache.

It shares with the engine only the nodes of the condition tree and the literals. Where the two disagree, one of them
is wrong, and this one is short enough to be read against the specification.
"""

"""The engine against the oracle: the same changes played to both, the same rules asked of both."""

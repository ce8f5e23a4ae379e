"""The write path: admission (stateless checks), staging (all decisions), commit (the one mutator)."""

"""Every kernel against a slow and obvious computation."""

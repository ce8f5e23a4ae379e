"""Live segments: who is in them, and why."""

"""The joins and leaves of segments: their one order, the cursors into it, who follows it, and sizes over time."""

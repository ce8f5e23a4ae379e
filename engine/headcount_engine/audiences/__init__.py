"""What is done with the members of segments: overlaps, breakdowns, what they have in common."""

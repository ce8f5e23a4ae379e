"""What users of segmentation expect, asked as they would ask it: over the wire, of a server of its own.

A test is named after its row of the feature list; a row that is about what rules can say has one.
"""

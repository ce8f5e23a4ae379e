"""What a rule says: the tree, its text, and the tree tied to a schema. No data is read here."""

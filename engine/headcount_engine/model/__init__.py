"""What things are: ids, types, values, instants, batches, schema. Pure values, no storage."""

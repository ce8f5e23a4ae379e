"""What serves the method table: one module a protocol and library."""

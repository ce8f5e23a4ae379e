"""Between Python and the wire: the only part of the client that knows protobuf."""

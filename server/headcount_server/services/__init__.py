"""Handlers, one module a service: decode, ask the engine, encode. They know no transport and no protobuf."""

"""Between protobuf and the engine's own values: the only package here that knows protobuf.

Decoders raise the engine's InvalidArgument with the path of the field, or NotServed for what the contract
has and this release does not; they never answer less than was asked for in silence.
"""

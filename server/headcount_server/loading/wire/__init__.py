"""The command line's side of the wire: batches of a file as messages, and the stream that carries them."""

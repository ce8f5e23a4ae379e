"""The engine on its own: what it takes, what it refuses, what it keeps."""

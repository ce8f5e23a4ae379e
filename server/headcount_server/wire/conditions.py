"""Conditions, both ways: a message for programs that build or edit rules, the engine's tree, without loss.

Texts that come in are brought to NFC, as in the text form; numbers are exact.
"""

from headcount_server.wire.condition_reading import condition_of
from headcount_server.wire.condition_writing import condition_message

__all__ = ["condition_message", "condition_of"]

"""What every call passes, whatever listener it came by: who calls, until when, how much, how long it took."""

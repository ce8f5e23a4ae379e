"""Published data sets, counted independently."""

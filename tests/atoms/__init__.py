"""What live segments keep: structures that follow the data, each against a brute force."""

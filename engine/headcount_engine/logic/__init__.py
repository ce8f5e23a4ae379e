"""What holds of rules whatever the data are and whenever they are asked."""

"""What is known of each row, since when, and how it is read as of any load."""

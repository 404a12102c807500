"""What a person asks of the life of a plan or a break."""

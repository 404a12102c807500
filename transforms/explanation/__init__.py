"""How the figures of one plan come about: from its positions and what they rest on to sentences and sums."""

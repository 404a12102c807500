"""What a row means: names, types, units and the gates that hold them."""

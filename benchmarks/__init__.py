"""How fast planrecon is, on this machine, beside other ways of doing the same."""

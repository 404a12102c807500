"""What a person asks: one module for each command or kind of answer."""

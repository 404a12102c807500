"""What a terminal or a pipe is shown: the summary of a run, and tables that fit."""

"""What a run does, as plain functions: recover, pull, load, compute, publish."""

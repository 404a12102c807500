"""Pure computation: frames and dates in, frames out."""

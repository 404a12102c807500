"""Earlier runs and earlier knowledge: reports given again, plans followed from a past date, restatements."""

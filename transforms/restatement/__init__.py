"""Why a figure of a past day is another now: the rows that became known since, and what each of them changed."""

"""What is still to come and what may not come: expected cash, exposure, how plans moved between buckets."""

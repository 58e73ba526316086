"""Sample data: the 1,000 rows of the demo, and realistic sets of any size."""

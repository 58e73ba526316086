"""The parts of the page Data: the list of tables and metrics, one table, one metric."""

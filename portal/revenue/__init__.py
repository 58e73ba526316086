"""The parts of the revenue page; `portal/pages/revenue.py` puts them together."""

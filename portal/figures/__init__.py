"""Figures: numbers in, plain dicts for plotly out."""

"""The parts of the page Pipelines; `portal/pages/pipelines.py` puts them together."""

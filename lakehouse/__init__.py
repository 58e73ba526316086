"""The core of a lake: tables, releases, questions and metrics. No web code, and nothing that loads or builds."""

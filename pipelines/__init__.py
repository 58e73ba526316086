"""The work: load sources, build models, publish releases. It runs in child processes, never inside a web process."""

"""The doors: the command line, and later the pages and the API. A door only ever holds a Workspace."""

"""The state store: runs, loads and releases. SQLAlchemy lives here."""

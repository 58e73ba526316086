"""Where data comes from: files by configuration."""

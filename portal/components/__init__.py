"""Components: arguments in, Dash components out, in the classes of `assets/`; no component asks for data."""

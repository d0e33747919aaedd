"""The HTTP door and the page."""

"""The stenocast command."""

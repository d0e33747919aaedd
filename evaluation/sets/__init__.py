"""Synthetic episodes with exact truth: scripts of our own invention, spoken by free synthesizers."""

"""How Stenocast does things: one file per outside thing. Only wiring.py picks real objects."""

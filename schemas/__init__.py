"""The nouns of Stenocast: frozen dataclasses that the code passes around and the wire carries."""

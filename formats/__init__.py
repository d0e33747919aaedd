"""A transcript to text and back: house styles, captions, feeds. Pure."""

"""The processes that loop: transcriber (supervisor and engine child), publisher, inbox."""

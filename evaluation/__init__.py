"""How good and how fast: WER, DER, names and benchmarks."""

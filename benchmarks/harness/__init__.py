"""What the benchmark scripts share: protocol, models, timing and results."""

"""What the benchmarks share: starting servers, asking them a lot, and saying how it went."""

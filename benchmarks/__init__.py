"""What the lab promises in numbers, measured; results are kept in `benchmarks/results`."""

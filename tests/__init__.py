"""The tests, by what they prove: unit, contract, integration, e2e, benchmarks."""

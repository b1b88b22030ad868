"""Chaos: kill anything at seeded moments, and let another client library judge what came of it."""

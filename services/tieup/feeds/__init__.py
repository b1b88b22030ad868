"""Feeds: what is wanted, when it is due, fetched safely, parsed apart, and turned into articles."""

"""Which entry is which article, in which version, and what is remembered of it."""

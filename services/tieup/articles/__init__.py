"""From an entry to an article: plain text, canonical URL, language, UTC times; and the near-duplicate signature."""

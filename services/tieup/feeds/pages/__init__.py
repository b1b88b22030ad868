"""Full text: which articles' pages are wanted, how sites let them be read, and what versions they make."""

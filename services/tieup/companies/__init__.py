"""Companies: the gazetteer (data and loader) and the matcher that finds their names in text."""

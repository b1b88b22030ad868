"""The lexicons: words of each language and the label that they support, as data with a validating loader."""

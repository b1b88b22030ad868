"""The lexicons: words and phrases of each language and the label that they support, as data with a validating loader."""

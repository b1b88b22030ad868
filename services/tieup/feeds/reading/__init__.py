"""A feed document to entries: what hostile bytes go through, mostly in the parsing processes."""

"""Typed records, one module per thing; nothing here does I/O or knows a topic."""

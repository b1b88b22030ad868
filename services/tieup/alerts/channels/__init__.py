"""The channels: each one sends a message to one sort of endpoint and reports what came of it."""

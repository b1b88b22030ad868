"""Alerts: which subscriptions an event matches, and how its message reaches each endpoint once."""

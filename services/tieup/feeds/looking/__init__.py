"""Feeds and sites as an operator looks at them: found, checked, told how they fare and why."""

"""Stories: which articles tell of the same deal, what the deal's state is, and what each article changed.

relations ─▶ duplicates ─▶ subjects ─▶ cluster (likeness) ─▶ lifecycle (precedence, stances) ─▶ changes ─▶ events
"""

"""Stories: which articles tell of the same deal, what the deal's state is, and what each article changed.

relations ─▶ statements ─▶ duplicates ─▶ cluster ─▶ lifecycle (precedence, stances) ─▶ changes ─▶ worker ─▶ events
"""

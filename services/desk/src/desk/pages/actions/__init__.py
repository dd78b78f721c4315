"""Acting in place: a form opens beside what it is about, says what will happen, and is done once.

One more action is a line in `desk.ui.actions`, a `Form` in a module here, and a template of its fields.
"""

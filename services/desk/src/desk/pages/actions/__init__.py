"""Acting in place: a form opens beside what it is about, says what will happen, and is done once.

One more action is an `Action` in a module of `kinds`; `offered` makes its button where it is wanted.
"""

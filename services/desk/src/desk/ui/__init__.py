"""How the desk looks and speaks: stylesheet, script, macros, words, dates and money."""

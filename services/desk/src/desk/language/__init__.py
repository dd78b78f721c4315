"""The languages that people are answered in: a catalogue of messages for each, `<language>.po`.

English is the language of the source, whose words are those of messages: it has no catalogue.
"""

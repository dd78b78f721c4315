"""The words of messages: by language and version, how they read, and who approved them."""

"""Which department waited how long for which, as a picture with the figures beside it."""

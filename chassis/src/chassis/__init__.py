"""The shared service library that every Rapport department builds on."""

"""Proactive notices: templates, policies, delivery."""

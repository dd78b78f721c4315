"""What customers bought: by store, receipt and product; each with its lines and what came back."""

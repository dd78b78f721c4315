"""The department's own tests run in its own environment: `test_department` starts them."""

collect_ignore = ["parcels"]

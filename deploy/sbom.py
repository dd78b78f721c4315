"""What an image holds, as CycloneDX JSON: `docker run --rm -i IMAGE python - < deploy/sbom.py`."""

import json
import re
import sys
from importlib.metadata import distributions
from typing import Any


def components() -> list[dict[str, Any]]:
    """Every installed distribution, by name."""
    found = {}
    for each in distributions():
        name = re.sub(r"[-_.]+", "-", each.metadata["Name"]).lower()
        licence = each.metadata.get("License-Expression")
        found[name] = {
            "type": "library",
            "name": name,
            "version": each.version,
            "purl": f"pkg:pypi/{name}@{each.version}",
            **({"licenses": [{"expression": licence}]} if licence else {}),
        }
    return [found[name] for name in sorted(found)]


if __name__ == "__main__":
    bom = {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": components()}
    json.dump(bom, sys.stdout, indent=1)

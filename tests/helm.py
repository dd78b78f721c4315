"""Charts, rendered as Helm renders them."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import helm_python
import yaml

Object = dict[str, Any]


def rendered(chart: Path, values: Object, release: str, namespace: str) -> list[Object]:
    """Every object of a release, hooks included."""
    # Loaded anew: Helm takes what is not enabled out of the umbrella that it renders, for good.
    files = helm_python.Chart.load(chart).render(values, name=release, namespace=namespace)
    texts = [text for path, text in files.items() if not path.endswith("NOTES.txt")]
    return [found for text in texts for found in yaml.load_all(text, Strict) if found]


def merged(*layers: Object) -> Object:
    """Values as `-f` after `-f` puts them together: the later one wins."""
    whole: Object = {}
    for layer in layers:
        for key, value in layer.items():
            both = isinstance(value, dict) and isinstance(whole.get(key), dict)
            whole[key] = merged(whole[key], value) if both else value
    return whole


def read(*files: Path) -> Object:
    """The values of `-f FILE -f FILE`."""
    return merged(*(yaml.safe_load(file.read_text()) for file in files))


class Strict(yaml.CSafeLoader):
    """Refuses a key that occurs twice, as the API server does."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """The mapping."""
        keys = [key.value for key, _ in node.value]
        if repeated := {key for key in keys if keys.count(key) > 1}:
            raise yaml.constructor.ConstructorError(None, None, f"repeated: {repeated}", node.start_mark)
        return super().construct_mapping(node, deep)

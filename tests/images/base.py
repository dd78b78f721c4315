"""Images of this machine's own Python and NATS, for machines that reach no registry of images."""

import os
import re
import shutil
import ssl
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterable
from pathlib import Path

from rapport_testing.engines.nats import binary as nats_binary

# What Python loads at run time, so that `ldd` does not name it; uv, built for old systems, wants the stubs.
LOADED = ["libpthread.so.0", "libdl.so.2", "librt.so.1", "libutil.so.1", "libresolv.so.2", "libgcc_s.so.1"]
LOADED += ["libstdc++.so.6", "libnss_dns.so.2", "libnss_files.so.2"]
LEFT_OUT = ("test", "idlelib", "tkinter", "site-packages", "config-*", "*.a", "*.opt-?.pyc")
CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"
IGNORED = shutil.ignore_patterns(*LEFT_OUT)


def make(tag: str) -> None:
    """Import the image: this Python, its libraries, a shell of busybox, the machine's authorities."""
    with tempfile.TemporaryDirectory() as folder:
        _fill(Path(folder))
        _pack(Path(folder), "/usr/local/bin:/usr/bin:/bin", tag)


def make_broker(tag: str) -> None:
    """Import an image of NATS as the charts run it: its one binary."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(nats_binary(), folder)
        _pack(Path(folder), "/", tag)


def _pack(root: Path, path: str, tag: str) -> None:
    packed = subprocess.Popen(["tar", "-C", root, "-c", "."], stdout=subprocess.PIPE)
    podman = ["podman", "import", "-q", "--change", f"ENV PATH={path}", "-", tag]
    subprocess.run(podman, stdin=packed.stdout, stdout=subprocess.DEVNULL, check=True)
    if packed.wait():
        sys.exit(f"{tag} could not be packed")


def _fill(root: Path) -> None:
    system = ("root", "proc", "sys", "dev", "run")
    for name in ("tmp", "usr/local/bin", "usr/bin", "bin", "etc/ssl/certs", *system):
        (root / name).mkdir(parents=True, exist_ok=True)
    os.chmod(root / "tmp", 0o1777)
    prefix = Path(sys.base_prefix)
    standard = Path(sysconfig.get_path("stdlib", vars={"base": sys.base_prefix}))
    python = Path(os.path.realpath(sys.executable))
    shutil.copytree(standard, root / str(standard)[1:], ignore=IGNORED, symlinks=True)
    _copy(root, [python, *prefix.glob("lib/libpython*.so.*")])
    wheels = sysconfig.get_config_var("WHEEL_PKG_DIR") or standard / "ensurepip/_bundled"  # as Debian has it
    pip = next(Path(wheels).glob("pip-*.whl"))
    shutil.unpack_archive(pip, root / str(standard)[1:] / "site-packages", "zip")
    (root / "usr/local/bin/pip").write_text('#!/bin/sh\nexec python3 -m pip "$@"\n')
    (root / "usr/local/bin/pip").chmod(0o755)
    for name in ("python3", "python"):
        (root / "usr/local/bin" / name).symlink_to(python)
    _copy(root, _libraries([python, *standard.glob("lib-dynload/*.so")]))
    busybox = shutil.which("busybox") or sys.exit("busybox is missing: install busybox-static")
    shutil.copy(busybox, root / "bin/busybox")
    for name in ("sh", "env", "ls", "cat", "mkdir", "rm"):
        (root / "bin" / name).symlink_to("busybox")
    (root / "usr/bin/env").symlink_to("/bin/busybox")
    authorities = (
        os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile or f"/{CERTIFICATES}"
    )
    shutil.copy(authorities, root / CERTIFICATES)
    (root / "etc/pip.conf").write_text(f"[global]\ncert = /{CERTIFICATES}\n")
    (root / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\nnonroot:x:10001:10001::/:/bin/sh\n")
    (root / "etc/group").write_text("root:x:0:\nnonroot:x:10001:\n")
    (root / "etc/nsswitch.conf").write_text("hosts: files dns\n")


def _libraries(binaries: Iterable[Path]) -> set[Path]:
    said = subprocess.run(["ldd", *map(str, binaries)], capture_output=True, text=True).stdout
    found = {Path(path) for path in re.findall(r"(/\S+\.so\S*) \(0x", said)}
    system = {path.parent for path in found if path.name == "libc.so.6"}
    return found | {folder / name for folder in system for name in LOADED if (folder / name).exists()}


def _copy(root: Path, files: Iterable[Path]) -> None:
    for file in files:
        target = root / str(file)[1:]
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            shutil.copy(os.path.realpath(file), target)

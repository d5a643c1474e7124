"""What a run was measured on: processor, cores, versions, weights."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import platform
from importlib.metadata import version
from pathlib import Path

from benchmarks.report import Section

PACKAGES = ("openvino", "onnxruntime", "torch", "ultralytics", "opencv-python", "supervision")
INTERESTING_FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8")


def _processor() -> tuple[str, str]:
    info = Path("/proc/cpuinfo")
    if not info.exists():
        return platform.processor() or platform.machine(), ""
    name, flags = platform.machine(), ""
    for line in info.read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            name = value.strip()
        elif key.strip() == "flags":
            flags = " ".join(flag for flag in INTERESTING_FLAGS if flag in value.split())
    return name, flags


def describe_conditions(weights: dict[str, Path], pictures: str) -> Section:
    name, flags = _processor()
    section = Section("Conditions", ("what", "value"))
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    section.rows += [
        ("date", dt.datetime.now(dt.UTC).date().isoformat()),
        ("processor", f"{name} ({flags})" if flags else name),
        ("cores", str(cores)),
        ("Python", platform.python_version()),
        *((package, version(package)) for package in PACKAGES),
        ("pictures", pictures),
    ]
    for card, path in weights.items():
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        section.rows.append((card, f"{path.name}, sha256 {digest[:16]}…"))
    return section

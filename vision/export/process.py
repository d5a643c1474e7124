"""Runs the export in a child process, with the settings ultralytics must find at its import."""

import logging
import os
import subprocess
import sys
from pathlib import Path

from vision.errors import ModelError

__all__ = ["export_network"]

logger = logging.getLogger(__name__)

_TIMEOUT = 600.0  # seconds; a nano network takes five, the largest a minute


def export_network(weights: Path, target: Path, *, cache_dir: Path) -> None:
    """Write the network of a ``.pt`` file as ONNX.

    Args:
        weights: A verified ultralytics checkpoint.
        target: Where to write; its folder exists.
        cache_dir: ultralytics keeps its settings below it.

    Raises:
        ModelError: ``export_failed``, with the last line of what went wrong.
    """
    package_root = Path(__file__).resolve().parents[2]
    environment = {
        **os.environ,
        **ultralytics_environment(cache_dir),
        "PYTHONPATH": os.pathsep.join(
            filter(None, [str(package_root), os.environ.get("PYTHONPATH", "")])
        ),
        "OMP_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
    }
    command = [sys.executable, "-m", "vision.export", str(weights), str(target)]
    try:
        subprocess.run(  # noqa: S603 - own interpreter, own module, two paths
            command, env=environment, check=True, capture_output=True, text=True, timeout=_TIMEOUT
        )
    except subprocess.TimeoutExpired as error:
        raise _failed(weights, f"it took longer than {_TIMEOUT:.0f} seconds") from error
    except subprocess.CalledProcessError as error:
        logger.error("export of %s failed:\n%s", weights, error.stderr)
        lines = (error.stderr or "").strip().splitlines()
        raise _failed(weights, lines[-1] if lines else f"exit code {error.returncode}") from error


def ultralytics_environment(cache_dir: Path) -> dict[str, str]:
    """Return the variables that keep ultralytics from installing, calling home and unpickling."""
    settings = Path(cache_dir).resolve() / "ultralytics"
    settings.mkdir(parents=True, exist_ok=True)
    return {
        "ULTRALYTICS_SAFE_LOAD": "1",
        "YOLO_AUTOINSTALL": "false",
        "YOLO_OFFLINE": "true",
        "YOLO_CONFIG_DIR": str(settings),
        "YOLO_VERBOSE": "false",
    }


def _failed(weights: Path, reason: str) -> ModelError:
    return ModelError("export_failed", f"{weights.name} cannot be exported: {reason}.")

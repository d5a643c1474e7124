"""``python -m vision.export WEIGHTS TARGET``: the child process of ``vision.export.process``."""

import sys
from pathlib import Path

from vision.export.onnx_file import write_onnx

if __name__ == "__main__":
    write_onnx(Path(sys.argv[1]), Path(sys.argv[2]))

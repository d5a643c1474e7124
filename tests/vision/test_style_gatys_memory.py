"""What does not fit into memory is refused before it is begun, and the message says what would."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from style_pictures import content_picture, painter, style_picture

import vision
from vision.errors import ModelError
from vision.style.sizes import estimate_bytes, fit, largest_size, require_memory

MIB = 2**20


@given(
    st.integers(64 * MIB, 64 * 1024 * MIB),
    st.floats(0.05, 1.0),
    st.sampled_from([2, 4]),
)
def test_the_largest_size_fits_and_a_larger_one_does_not(
    available: int, aspect: float, number_bytes: int
) -> None:
    side = largest_size(available, aspect, number_bytes=number_bytes)
    if side == 0:
        return

    def needed(side: int) -> int:
        height = round(side * aspect)
        return estimate_bytes(height, side, number_bytes=number_bytes)

    assert needed(side) <= available
    assert side == 8192 or needed(side + 1) > available


@given(st.integers(16, 5000), st.integers(16, 5000), st.integers(16, 8192))
def test_pictures_are_reduced_in_proportion(height: int, width: int, longer: int) -> None:
    try:
        rows, columns = fit(height, width, longer_side=longer)
    except Exception as error:
        assert getattr(error, "code", "") == "too_small"  # noqa: PT017
        return
    assert max(rows, columns) == min(longer, max(height, width))
    assert abs(rows * width - columns * height) <= max(height, width)


def test_half_precision_needs_less() -> None:
    assert estimate_bytes(512, 512, number_bytes=2) < estimate_bytes(512, 512, number_bytes=4)


def test_a_fifth_of_the_memory_stays_free() -> None:
    wanted = estimate_bytes(512, 512, number_bytes=4, steps=3)
    require_memory(512, 512, int(wanted * 1.26), number_bytes=4, steps=3)
    with pytest.raises(ModelError) as refused:
        require_memory(512, 512, int(wanted * 1.24), number_bytes=4, steps=3)
    assert refused.value.code == "out_of_memory"


def test_a_size_that_does_not_fit_is_refused_with_one_that_does(tmp_path: Path) -> None:
    content, style = content_picture(600, 900), style_picture()
    paints = painter(tmp_path, steps=1, size=None, memory=300 * MIB)
    with pytest.raises(ModelError, match="the largest is") as refused:
        paints.stylize(content, style)
    assert refused.value.code == "out_of_memory"
    found = re.search(r"largest is (\d+) pixels", refused.value.message)
    assert found is not None
    side = int(found[1])
    assert 100 < side < 900
    limited = painter(tmp_path, steps=1, size=side, memory=300 * MIB)
    assert max(limited.stylize(content, style).image.shape) == side


def test_where_nothing_fits_the_message_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="too little for any size"):
        painter(tmp_path, memory=10 * MIB).stylize(content_picture(), style_picture())


PROGRAM = """
import sys
from pathlib import Path
from style_pictures import content_picture, painter, style_picture
def peak():  # not getrusage: a child begins with the peak of its parent there
    rows = Path("/proc/self/status").read_text().splitlines()
    return next(row.split()[1] for row in rows if row.startswith("VmHWM:"))
paints = painter(Path(sys.argv[2]), steps=3, size=None, precision=sys.argv[1])
paints.stylize(content_picture(), style_picture())
before = peak()
paints.stylize(content_picture(512, 512), style_picture(512, 512))
print(before, peak())
"""


@pytest.mark.slow
@pytest.mark.parametrize(("precision", "number_bytes"), [("fp32", 4), ("bf16", 2)])
def test_the_estimate_is_near_what_is_really_taken(
    tmp_path: Path, precision: str, number_bytes: int
) -> None:
    root = Path(vision.__file__).resolve().parents[1]
    output = subprocess.check_output(
        [sys.executable, "-c", PROGRAM, precision, str(tmp_path)],
        cwd=root,
        env={"PYTHONPATH": f"{root}:{Path(__file__).parent}", "PATH": "/usr/bin"},
        text=True,
    )
    before, after = (int(value) * 1024 for value in output.split())
    options = {"number_bytes": number_bytes, "steps": 3}
    estimate = estimate_bytes(512, 512, **options) - estimate_bytes(0, 0, **options)
    assert (after - before) * 0.8 < estimate < (after - before) * 2

"""Programs: each compiled once, and nobody waits for one that somebody else needs."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as ops

from vision.faces.programs import Shape, StaticPrograms

pytestmark = pytest.mark.once


def doubled(shape: Shape) -> ov.Model:
    values = ops.parameter(list(shape), np.uint8)
    numbers = ops.convert(values, np.float32)
    return ov.Model([ops.add(numbers, numbers)], [values], "doubled")


def pixels(count: int) -> np.ndarray:
    return np.full((1, count), 3, np.uint8)


def test_many_first_callers_compile_once() -> None:
    built: list[Shape] = []

    def build(shape: Shape) -> ov.Model:
        built.append(shape)
        return doubled(shape)

    programs = StaticPrograms(build, threads=1, limit=4)
    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(lambda _: programs.run(pixels(5), alone=True)[0], range(12)))
    assert built == [(1, 5)]
    assert all((result == 6).all() for result in results)


def test_who_needs_another_shape_does_not_wait_for_one_that_is_compiled() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def build(shape: Shape) -> ov.Model:
        if shape == (1, 9):
            begun.set()
            assert go_on.wait(20)
        return doubled(shape)

    programs = StaticPrograms(build, threads=1, limit=4)
    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(programs.run, pixels(9), alone=True)
        assert begun.wait(20)
        try:
            quick = pool.submit(programs.run, pixels(5), alone=True)
            assert quick.result(20)[0].shape == (1, 5)
            assert not slow.done()
        finally:
            go_on.set()
        assert slow.result(20)[0].shape == (1, 9)


def test_what_could_not_be_compiled_is_tried_again() -> None:
    failures = [RuntimeError("no memory")]

    def build(shape: Shape) -> ov.Model:
        if failures:
            raise failures.pop()
        return doubled(shape)

    programs = StaticPrograms(build, threads=1, limit=4)
    with pytest.raises(RuntimeError, match="no memory"):
        programs.run(pixels(5), alone=True)
    assert (programs.run(pixels(5), alone=True)[0] == 6).all()


def test_only_so_many_are_kept() -> None:
    built: list[Shape] = []

    def build(shape: Shape) -> ov.Model:
        built.append(shape)
        return doubled(shape)

    programs = StaticPrograms(build, threads=1, limit=2)
    for count in (4, 5, 4, 6, 4, 5):
        programs.run(pixels(count), alone=True)
    assert built == [(1, 4), (1, 5), (1, 6), (1, 5)]

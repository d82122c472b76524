"""The chain of coordinates, for any sizes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs.geometry import GeometryError, Resize, Size, Viewport, from_relative

sides = st.integers(min_value=1, max_value=16384)
sizes = st.builds(Size, sides, sides)
numbers = st.floats(min_value=-1e5, max_value=1e5)
points = st.tuples(numbers, numbers)


def close(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return all(abs(a - b) <= 1e-6 * max(1.0, abs(a), abs(b)) for a, b in zip(one, other, strict=True))


@given(sizes, sizes, points)
def test_resize_round_trip(screenshot: Size, image: Size, point: tuple[float, float]) -> None:
    resize = Resize(screenshot, image)
    assert close(resize.to_screenshot(resize.to_image(point)), point)
    assert close(resize.to_image(resize.to_screenshot(point)), point)


@given(sizes, sizes, st.floats(0, 1), st.floats(0, 1))
def test_resize_keeps_shares(screenshot: Size, image: Size, u: float, v: float) -> None:
    x, y = Resize(screenshot, image).to_screenshot((u * image.width, v * image.height))
    assert close((x / screenshot.width, y / screenshot.height), (u, v))


@given(sizes, sizes, sides, points)
def test_axes_do_not_mix(screenshot: Size, image: Size, other: int, point: tuple[float, float]) -> None:
    one = Resize(screenshot, image)
    taller = Resize(Size(screenshot.width, other), Size(image.width, other))
    assert one.to_screenshot(point)[0] == taller.to_screenshot(point)[0]


@given(sizes, sizes, points, points)
def test_device_points_lie_inside_the_device(
    screenshot: Size, device: Size, origin: tuple[float, float], point: tuple[float, float]
) -> None:
    x, y = Viewport(screenshot, device, origin).to_device(point)
    assert origin[0] <= x < origin[0] + device.width + 1e-6
    assert origin[1] <= y < origin[1] + device.height + 1e-6


@given(sizes, sizes, points, st.floats(0, 1), st.floats(0, 1))
def test_device_round_trip(screenshot: Size, device: Size, origin: tuple[float, float], u: float, v: float) -> None:
    viewport = Viewport(screenshot, device, origin)
    point = (u * (screenshot.width - 1), v * (screenshot.height - 1))
    there = viewport.to_screenshot(viewport.to_device(point))
    # An origin far away costs digits.
    assert all(abs(a - b) < 1e-4 for a, b in zip(there, point, strict=True))


@given(sizes, points)
def test_clamped_points_are_contained(size: Size, point: tuple[float, float]) -> None:
    viewport = Viewport(size, size)
    assert viewport.contains(viewport.clamp(point))
    if viewport.contains(point) and point[0] <= size.width - 1 and point[1] <= size.height - 1:
        assert viewport.clamp(point) == point


@given(sizes)
def test_relative_corners(size: Size) -> None:
    assert from_relative((0, 0), size) == (0, 0)
    assert from_relative((1000, 1000), size) == (size.width, size.height)
    assert from_relative((0.5, 0.5), size, scale=1.0) == (size.width / 2, size.height / 2)


@pytest.mark.parametrize("sides", [(0, 1), (1, 0), (-5, 5)])
def test_sizes_that_no_screen_has(sides: tuple[int, int]) -> None:
    with pytest.raises(GeometryError, match="at least one pixel"):
        Size(*sides)

"""Film how the page of a graph shows the first NaN: `python docs/nan_gif.py`, with Chromium."""

from __future__ import annotations

import io
import sys
import tempfile
import time
from pathlib import Path

import live
from PIL import Image, ImageDraw
from selenium import webdriver

TARGET = Path(__file__).parent / "images" / "find_the_nan.gif"
SIZE, SCALE, COLORS = (920, 760), 0.85, 48
FLAGS = "--headless --no-sandbox --disable-gpu --hide-scrollbars".split()
# What is clicked before each picture, and how many milliseconds the picture stays.
SCENES = [("", 1800), ("#bad", 4000), ("#panel .acts button", 3000)]


def film() -> list[tuple[Image.Image, int]]:
    """Return the pictures of the page, and how long each stays."""
    options = webdriver.ChromeOptions()
    for flag in [*FLAGS, f"--window-size={SIZE[0]},{SIZE[1]}"]:
        options.add_argument(flag)
    driver = webdriver.Chrome(options)
    frames: list[tuple[Image.Image, int]] = []
    try:
        with tempfile.TemporaryDirectory() as folder:
            live.write_pages(Path(folder))
            driver.get((Path(folder) / "nan.html").as_uri())
            for selector, stays in SCENES:
                if selector:
                    button = driver.find_element("css selector", selector)
                    frames.append((_pointed(frames[-1][0], button.rect), 700))
                    button.click()
                time.sleep(1)
                png = driver.get_screenshot_as_png()
                frames.append((Image.open(io.BytesIO(png)).convert("RGB"), stays))
    finally:
        driver.quit()
    return frames


def _pointed(picture: Image.Image, place: dict[str, float]) -> Image.Image:
    """Draw a frame around what will be clicked."""
    x, y, pointed = place["x"], place["y"], picture.copy()
    box = x - 4, y - 4, x + place["width"] + 4, y + place["height"] + 4
    ImageDraw.Draw(pointed).rounded_rectangle(box, 8, outline="#0072B2", width=4)
    return pointed


if __name__ == "__main__":
    pictures, stay = zip(*film(), strict=True)
    width, height = (round(n * SCALE) for n in pictures[0].size)
    small = [p.resize((width, height), Image.Resampling.LANCZOS) for p in pictures]
    first, *others = [p.quantize(COLORS, dither=Image.Dither.NONE) for p in small]
    first.save(TARGET, save_all=True, append_images=others, duration=list(stay), loop=0)
    sys.stdout.write(f"{TARGET}  {TARGET.stat().st_size // 1024} KiB\n")

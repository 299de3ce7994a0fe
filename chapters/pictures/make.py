"""The README's picture, from the browser test's screenshot: pytest tests/test_seen_by_a_person.py, then this."""
from pathlib import Path

from classroom.places import ROOT
from PIL import Image

SCREENSHOT, PICTURE = ROOT / "out" / "screenshots" / "light-player.png", Path(__file__).with_name("player.png")
COLOURS = 128  # a third of the bytes, and nobody sees it


def main() -> None:
    Image.open(SCREENSHOT).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(PICTURE, optimize=True)
    print(f"{PICTURE.name}: {PICTURE.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()

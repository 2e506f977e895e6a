"""Figures for the dark: what was drawn in ink on white paper, drawn again in light on dark paper.

Not an inverted picture: a colour is ink that covers so much of the paper. The paper becomes the
dark page, the ink a colour of the same hue that is legible on it. The house's palette and its
colour maps have colours chosen for the dark, in which what was more is still more.
"""

import base64
import re
from functools import cache
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

Colours = NDArray[np.float64]  # (..., 3), sRGB in [0, 1]

PAPER = "#121212"  # the page of the theme in the dark
INK = "#e3e8ec"  # 15 : 1 on it

# The palette of `afterfit.book`, and what stands for each in the dark, at least 5 : 1 on the page.
PALETTE = {
    "#0072b2": "#5ab4f0",
    "#d55e00": "#ff8a4a",
    "#009e73": "#35cf9f",
    "#cc79a7": "#f09ac8",
    "#e69f00": "#f5bd3d",
    "#56b4e9": "#a9dcf8",
    "#8c6d31": "#cfae6a",
    "#000000": INK,
    "#ffffff": PAPER,
}
# From what is hardly seen to what is seen first, on this page too. (Others are ink on paper.)
MAPS = {"viridis": ("#5a4a8f", "#4b7fc0", "#35b3a6", "#8fdc6a", "#fdf07a")}

# An ink keeps its hue. Dark inks become light ones, and none falls below this lightness (OKLab).
LEAST_LIGHTNESS = 0.72
ROUNDING = 1e-9  # of a colour at the edge of what a screen can show

HEX = re.compile(r"#[0-9a-fA-F]{6}\b")
PICTURE = re.compile(r'(?<=href="data:image/png;base64,)[^"]+')


def dark_figure(svg: str) -> str:
    """Return matplotlib's figure in the colours of the dark page."""
    svg = PICTURE.sub(lambda picture: dark_picture(picture[0]), svg)
    svg = HEX.sub(lambda colour: dark_colour(colour[0].lower()), svg)
    # Glyphs have no colour of their own.
    return svg.replace("<svg ", f'<svg fill="{INK}" ', 1)


@cache
def dark_colour(colour: str) -> str:
    chosen = PALETTE.get(colour) or of_colour_maps().get(colour)
    return chosen or as_hex(on_dark_paper(as_rgb(colour)))


def dark_picture(encoded: str) -> str:
    """Return a picture inside a figure (an image, a mesh of cells) for the dark."""
    import matplotlib.pyplot as plt

    pixels = plt.imread(BytesIO(base64.b64decode("".join(encoded.split()))))
    rgb = np.round(pixels[..., :3] * 255).astype(np.uint8)
    colours, which = np.unique(rgb.reshape(-1, 3), axis=0, return_inverse=True)
    darker = np.array([as_rgb(dark_colour(as_hex(colour / 255))) for colour in colours])
    pixels = np.concatenate([darker[which].reshape(rgb.shape), pixels[..., 3:]], axis=-1)
    buffer = BytesIO()
    plt.imsave(buffer, pixels, format="png", metadata={"Software": None})
    return base64.b64encode(buffer.getvalue()).decode()


def on_dark_paper(colour: Colours) -> Colours:
    """Return a colour of white paper as it is on dark paper: as much ink, in a lighter colour."""
    cover = 1 - colour.min()
    if cover == 0:
        return as_rgb(PAPER)
    paper, ink = (1 - cover) * as_rgb(PAPER), cover * lighter((colour - (1 - cover)) / cover)
    return np.asarray(paper + ink)


def lighter(ink: Colours) -> Colours:
    """Return the ink with its hue, at a lightness that the dark page shows."""
    lightness, a, b = to_oklab(ink)
    colourful = min(1.0, np.hypot(a, b) / 0.05)  # black ink becomes the colour of text
    wanted = max(lightness, LEAST_LIGHTNESS + 0.35 * max(0.0, 0.6 - lightness))
    wanted = colourful * wanted + (1 - colourful) * to_oklab(as_rgb(INK))[0]
    for share in np.linspace(1, 0, 21):  # as colourful as the screen can at this lightness
        found = from_oklab(np.array([wanted, share * a, share * b]))
        if np.all((found >= -ROUNDING) & (found <= 1 + ROUNDING)):
            break
    return np.clip(found, 0, 1)


@cache
def of_colour_maps() -> dict[str, str]:
    import matplotlib as mpl
    from matplotlib.colors import LinearSegmentedColormap, to_hex

    places = np.linspace(0, 1, 256)
    return {
        to_hex(light): to_hex(dark)
        for name, colours in MAPS.items()
        for light, dark in zip(
            mpl.colormaps[name](places),
            LinearSegmentedColormap.from_list(name, colours)(places),
            strict=True,
        )
    }


# --- colour spaces: https://bottosson.github.io/posts/oklab/ ---

LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def to_oklab(rgb: Colours) -> Colours:
    return LAB @ np.cbrt(LMS @ linear(rgb))


def from_oklab(lab: Colours) -> Colours:
    light = np.linalg.solve(LMS, np.linalg.solve(LAB, lab) ** 3)
    encoded = 1.055 * np.maximum(light, 0) ** (1 / 2.4) - 0.055
    return np.where(light <= 0.0031308, 12.92 * light, encoded)


def linear(rgb: Colours) -> Colours:
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours by WCAG 2, between 1 and 21."""
    weights = np.array([0.2126, 0.7152, 0.0722])
    low, high = sorted(float(weights @ linear(as_rgb(colour))) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def as_rgb(colour: str) -> Colours:
    return np.array([int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)])


def as_hex(rgb: Colours) -> str:
    return "#" + "".join(f"{round(float(part) * 255):02x}" for part in rgb)

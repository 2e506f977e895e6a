"""The figures of the page of benchmarks: ratios, and growth with n."""

import math
import textwrap
from io import BytesIO
from typing import Any

from afterfit.runs import book_style
from afterfit_book.numbers import ratio_text

OURS = "afterfit"
LINE = 58  # characters of the figure's text that fit its width
Case = dict[str, Any]
Drawn = tuple[bytes, str, str]  # SVG, caption, alternative text


def ratios(cases: list[Case], name: str) -> Drawn | None:
    """Draw each alternative's time as a multiple of ours."""
    bars = [
        (f"{case['case']}: {peer}", ratio)
        for case in cases
        for peer, ratio in case.get("peer_over_ours", {}).items()
    ]
    if not bars:
        return None
    import matplotlib.pyplot as plt

    texts = [textwrap.fill(text, LINE) for text, _ in bars]
    lines = [text.count("\n") + 1 for text in texts]
    places, y = [], 0.0
    for count in lines:
        y += 0.2 * count
        places.append(y)
        y += 0.38
    with plt.rc_context():
        book_style()
        figure, axes = plt.subplots(figsize=(5.2, y + 0.55))
        for place, text, (_, ratio) in zip(places, texts, bars, strict=True):
            axes.plot([1, ratio], [place, place], color="C0", linewidth=5, solid_capstyle="butt")
            axes.plot(ratio, place, "o", color="C0", markersize=8)
            axes.plot([1, 1], [place - 0.1, place + 0.1], color="black", linewidth=1.5)
            axes.text(
                0.0,
                place - 0.12,
                text,
                fontsize=11,
                va="bottom",
                transform=axes.get_yaxis_transform(),
            )
            axes.annotate(
                ratio_text(ratio), (max(ratio, 1), place), (8, 0), textcoords="offset points",
                va="center", fontsize=11, fontweight="bold",
            )  # fmt: skip
        axes.set_xscale("log")
        low, high = min(1, *(r for _, r in bars)), max(1, *(r for _, r in bars))
        axes.set_xlim(low / 1.6, high * max(3.0, (high / low) ** 0.22))
        axes.set_ylim(y + 0.05, 0)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("time of the alternative / time of ours")
        data = as_svg(figure)
    slower = sum(ratio > 1 for _, ratio in bars)
    alt = (
        f"Of {len(bars)} comparisons of {name} with alternatives, the alternative takes longer in "
        f"{slower}; its time is between {ratio_text(min(r for _, r in bars))} and "
        f"{ratio_text(max(r for _, r in bars))} times ours. The tables below have every number."
    )
    caption = (
        "Time of each alternative as a multiple of ours, on a logarithmic scale. "
        "Right of 1 (the short line) ours is faster."
    )
    return data, caption, alt


def families(cases: list[Case]) -> dict[str, list[Case]]:
    """Return the cases that differ in n alone, by their name with "n" in its place."""
    found: dict[str, list[Case]] = {}
    for case in cases:
        if case.get("n") and "seconds" in case:
            name = case["case"].replace(f"{case['n']:,}", "n").replace(str(case["n"]), "n")
            found.setdefault(name, []).append(case)
    return {
        name: sorted(group, key=lambda case: case["n"])
        for name, group in found.items()
        if len({case["n"] for case in group}) > 1
    }


def growth(cases: list[Case], name: str) -> Drawn | None:
    """Draw time against n for the cases that were measured at several n."""
    groups = families(cases)
    if not groups:
        return None
    import matplotlib.pyplot as plt

    with plt.rc_context():
        book_style()
        figure, all_axes = plt.subplots(
            len(groups), figsize=(5.2, 3.6 * len(groups)), squeeze=False, sharex=False
        )
        for axes, (family, group) in zip(all_axes[:, 0], groups.items(), strict=True):
            draw_lines(axes, group)
            axes.set_title("\n".join(textwrap.wrap(family, LINE)), fontsize=11)
            axes.set_xlabel("n")
            axes.set_ylabel("time (s)")
        data = as_svg(figure)
    said = []
    for family, group in groups.items():
        first, last = group[0], group[-1]
        grown = last["seconds"][OURS] / first["seconds"][OURS]
        said.append(
            f"{family}: from n = {first['n']:,} to {last['n']:,} the time of {name} grows "
            f"{ratio_text(grown)}-fold."
        )
    return data, "Time against n, both on logarithmic scales.", " ".join(said)


def draw_lines(axes: Any, group: list[Case]) -> None:
    """Draw a line for each that was measured, with its name at its end; ours in colour."""
    lines = dict.fromkeys(who for case in group for who in case["seconds"])
    ends = []
    for position, who in enumerate(lines):
        points = [(c["n"], c["seconds"][who]) for c in group if who in c["seconds"]]
        colour = "C0" if who == OURS else "0.4"
        axes.loglog(*zip(*points, strict=True), "os^Dv"[position % 5] + "-", color=colour)
        ends.append([*reversed(points[-1]), who, colour])
    low, high = axes.get_xlim()
    axes.set_xlim(low, high * (high / low) ** 0.55)
    bottom, top = axes.get_ylim()
    ceiling = 1.0  # from the top down, no name above the axes or over the one before
    for seconds, n, who, colour in sorted(ends, reverse=True):
        text = textwrap.fill(who, 18)
        height = 0.07 * (text.count("\n") + 1)
        at = math.log(seconds / bottom) / math.log(top / bottom)
        ceiling = min(ceiling, at + height / 2)
        axes.text(
            n * (high / low) ** 0.05,
            ceiling - height / 2,
            text,
            color=colour,
            fontsize=11,
            va="center",
            transform=axes.get_xaxis_transform(),
        )
        ceiling -= height


def as_svg(figure: Any) -> bytes:
    import matplotlib.pyplot as plt

    buffer = BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    plt.close(figure)
    return buffer.getvalue()

"""Draw the sweep on the book's page: `python figure.py FOLDER`."""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

from afterfit import runs

folder = Path(sys.argv[1])
table = pd.read_parquet(folder / "table.parquet")
found = table.groupby("noise")["found"]
by_noise = found.agg(["mean", "min", "max", "size"])
by_noise.rename(columns={"size": "runs"}).round(2).to_csv(folder / "found.csv")

runs.book_style()
fig, ax = plt.subplots()
ax.plot(table["noise"], table["found"], "o", alpha=0.5, label="one run")
ax.plot(by_noise.index, by_noise["mean"], "-", label="mean")
ax.set_xlabel("noise (share of random cells)")
ax.set_ylabel("K found (share of tables)")
ax.set_ylim(-0.05, 1.05)
ax.legend()
fig.savefig(folder / "found.svg", metadata={"Date": None})

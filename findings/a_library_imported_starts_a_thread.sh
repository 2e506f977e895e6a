#!/usr/bin/env bash
# Importing a statistics library starts threads. statsmodels 0.15.0, pandas 3.1.1, pyarrow 26.0.1,
# polars 2.1.0, NumPy 2.4.6, SciPy 1.17.1; Linux.
# Guess: a process that has only imported numerical libraries, with one thread set for BLAS, has one
#   thread and may be forked.
# Seen: NumPy and SciPy start none. pandas imports pyarrow where it is installed, whose allocator
#   starts one; statsmodels imports polars where it is installed, which starts another.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  statsmodels==0.15.0 pandas==3.1.1 pyarrow==26.0.1 polars==2.1.0 numpy==2.4.6 scipy==1.17.1
OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 "$work/venv/bin/python" - > "$work/seen" 2> /dev/null <<'PYTHON'
import importlib
import os
from pathlib import Path

for name in ("numpy", "scipy.stats", "pandas", "statsmodels.api"):
    importlib.import_module(name)
    tasks = [task for task in Path("/proc/self/task").iterdir() if task.name != str(os.getpid())]
    print(name, sorted({(task / "comm").read_text().strip() for task in tasks}))
PYTHON
cat "$work/seen"
diff "$work/seen" - <<'SEEN'
numpy []
scipy.stats []
pandas ['jemalloc_bg_thd']
statsmodels.api ['jemalloc_bg_thd', 'polars-ooc-clea']
SEEN

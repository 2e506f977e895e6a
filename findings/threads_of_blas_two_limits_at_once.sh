#!/usr/bin/env bash
# Two threads that limit BLAS at once. threadpoolctl 3.6.0 and 3.8.0, NumPy 2.4.6 (its OpenBLAS on
# pthreads); Linux, at least two cores.
# Guess: 3.8.0 knows which thread controls OpenBLAS, so two threads that each limit it for a while,
#   the second within the time of the first, leave the number of threads as it was.
# Seen: who leaves last puts back what it found when it came, the other's limit: of two threads one
#   is left for the rest of the process, in both releases. While one thread holds a limit, another's
#   is ignored in 3.8.0, without a word. And `threadpool_limits(2)` called as a function makes its
#   thread the controller for as long as it lives: in 3.8.0 the limits of all others do nothing.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
cat > "$work/overlap.py" <<'PYTHON'
import sys
from importlib.metadata import version
from threading import Event, Thread

import numpy  # noqa: F401  (loads OpenBLAS)
from threadpoolctl import threadpool_info, threadpool_limits


def threads():
    return next(p["num_threads"] for p in threadpool_info() if p["user_api"] == "blas")


how, second_limit = sys.argv[1], int(sys.argv[2])
first_in, second_in, first_out = Event(), Event(), Event()
within = []


def first():
    if how == "context":
        with threadpool_limits(1, user_api="blas"):
            first_in.set()
            second_in.wait()
    else:
        first_in.set()
    first_out.set()


def second():
    first_in.wait()
    with threadpool_limits(second_limit, user_api="blas"):
        within.append(threads())
        second_in.set()
        first_out.wait()


before = threads()
if how == "function":
    threadpool_limits(2, user_api="blas")
both = [Thread(target=first), Thread(target=second)]
for thread in both:
    thread.start()
for thread in both:
    thread.join()
print(version("threadpoolctl"), *sys.argv[1:], "before", before, "within", *within, "after", threads())
PYTHON
for release in 3.6.0 3.8.0; do
  "$work/venv/bin/pip" install --quiet --disable-pip-version-check \
    threadpoolctl==$release numpy==2.4.6
  for case in "context 1" "context 3" "function 1"; do
    # shellcheck disable=SC2086
    OPENBLAS_NUM_THREADS=2 "$work/venv/bin/python" "$work/overlap.py" $case
  done
done > "$work/seen"
cat "$work/seen"
diff "$work/seen" - <<'SEEN'
3.6.0 context 1 before 2 within 1 after 1
3.6.0 context 3 before 2 within 3 after 1
3.6.0 function 1 before 2 within 1 after 2
3.8.0 context 1 before 2 within 1 after 1
3.8.0 context 3 before 2 within 1 after 1
3.8.0 function 1 before 2 within 2 after 2
SEEN

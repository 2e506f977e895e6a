#!/usr/bin/env bash
# What a local Dask cluster does to the environment. distributed and dask 2026.8.0; Linux.
# Guess: beyond one thread for BLAS, which is documented, a worker process has the environment of
#   the process that started it, and the client keeps its own.
# Seen: PYTHONHASHSEED is fixed at 6640 in the workers, so hashes of text are the same in all of them,
#   and others than in the client. It is in the client's own environment, too, once a cluster of
#   processes has been started, after the cluster is closed: whatever it starts later inherits it.
#   A cluster of threads leaves both alone.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check distributed==2026.8.0 dask==2026.8.0
cat > "$work/workers.py" <<'PYTHON'
import logging
import os
import sys

from distributed import Client, LocalCluster

if __name__ == "__main__":
    logging.disable()
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(processes=sys.argv[1] == "processes", **options) as cluster:
        with Client(cluster) as client:
            seeds = client.run(os.environ.get, "PYTHONHASHSEED")
            hashes = client.run(hash, "species")
    print(sys.argv[1], "seeds", list(seeds.values()), end="; ")
    print("hashes alike", len(set(hashes.values())) == 1, end="; ")
    print("as in the client", hash("species") in hashes.values(), end="; ")
    print("left in the client", os.environ.get("PYTHONHASHSEED"))
PYTHON
for kind in processes threads; do
  env -u PYTHONHASHSEED "$work/venv/bin/python" "$work/workers.py" $kind
done > "$work/seen" 2> /dev/null
cat "$work/seen"
diff "$work/seen" - <<'SEEN'
processes seeds ['6640', '6640']; hashes alike True; as in the client False; left in the client 6640
threads seeds [None, None]; hashes alike True; as in the client True; left in the client None
SEEN

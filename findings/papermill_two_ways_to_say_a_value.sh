#!/usr/bin/env bash
# One value said in two ways. papermill 2.7.0, nbformat 5.11.1.
# Guess: `-p n 1e3` and `-y "n: 1e3"` put the same value into the notebook, for any value.
# Seen: -p makes a number of what Python takes for one, -y of what YAML 1.1 does: 1e3 is 1000.0 and the text
#   "1e3"; 0123 is 123 and 83; 12:30 a text and 750; NO a text and False; nan a missing number and a text.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check papermill==2.7.0 nbformat==5.11.1
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON' > seen
import subprocess
import sys

import nbformat

notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("n = 1", metadata={"tags": ["parameters"]})])
notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python", "language": "python"}
nbformat.write(notebook, "in.ipynb")
for value in ("1000", "1e3", "0123", "12:30", "NO", "nan"):
    said = []
    for way in (["-p", "n", value], ["-y", f"n: {value}"]):
        command = [sys.executable, "-m", "papermill", "in.ipynb", "out.ipynb", "--prepare-only", *way]
        subprocess.run(command, check=True, capture_output=True)
        said.append(nbformat.read("out.ipynb", 4).cells[1].source.splitlines()[-1])
    print(value, "|", " | ".join(said))
PYTHON
cat seen
diff seen - <<'SEEN'
1000 | n = 1000 | n = 1000
1e3 | n = 1000.0 | n = "1e3"
0123 | n = 123 | n = 83
12:30 | n = "12:30" | n = 750
NO | n = "NO" | n = False
nan | n = float('nan') | n = "nan"
SEEN

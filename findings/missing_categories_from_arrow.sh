#!/usr/bin/env bash
# A missing category on its way from pyarrow to NumPy. pyarrow 26.0.1, narwhals 2.29.0, pandas 3.1.1,
# scikit-learn 1.9.1, NumPy 2.4.6.
# Guess: a missing cell of a dictionary-encoded (categorical) column comes out as None or NaN, as it
#   does from an array of pyarrow and from Table.to_pandas.
# Seen: ChunkedArray.to_numpy, which numpy.asarray and narwhals' Series.to_numpy call, gives it the last
#   category: ['x' 'y' 'y'] for x, missing, y. Columns of a Table are ChunkedArrays, so scikit-learn's
#   adjusted Rand index of such labels counts the missing one as y. Text that is not encoded is right.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  pyarrow==26.0.1 narwhals==2.29.0 pandas==3.1.1 scikit-learn==1.9.1 numpy==2.4.6
"$work/venv/bin/python" - > "$work/seen" 2> /dev/null <<'PYTHON'
import narwhals as nw
import numpy as np
import pyarrow as pa
from sklearn.metrics import adjusted_rand_score

plain = pa.table({"kind": ["x", None, "y"]})["kind"]
encoded = plain.dictionary_encode()
print("text:", plain.to_numpy().tolist())
print("categories, one chunk as an array:", encoded.chunk(0).to_numpy(zero_copy_only=False).tolist())
print("categories, to_pandas:", [str(cell) for cell in encoded.to_pandas()])
print("categories, to_numpy:", encoded.to_numpy().tolist())
print("categories, numpy.asarray:", np.asarray(encoded).tolist())
series = nw.from_native(encoded, series_only=True)
print("narwhals: is_null", series.is_null().to_list(), "to_numpy", series.to_numpy().tolist())
print("adjusted Rand index with x, y, y:", adjusted_rand_score(["x", "y", "y"], encoded))
PYTHON
cat > "$work/expected" <<'SEEN'
text: ['x', None, 'y']
categories, one chunk as an array: ['x', None, 'y']
categories, to_pandas: ['x', 'nan', 'y']
categories, to_numpy: ['x', 'y', 'y']
categories, numpy.asarray: ['x', 'y', 'y']
narwhals: is_null [False, True, False] to_numpy ['x', 'y', 'y']
adjusted Rand index with x, y, y: 1.0
SEEN
diff "$work/expected" "$work/seen"
echo "as recorded"

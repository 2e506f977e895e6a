#!/usr/bin/env bash
# Two estimates of an error rate in mlxtend. mlxtend 0.25.0, scikit-learn 1.9.1, pandas 3.1.1, NumPy 2.4.6.
# Guess: bias_variance_decomp gives two parts that sum to the loss, also for wrong decisions (0-1);
#   bootstrap_point632_score of labels drawn by a coin is 0.5.
# Seen: for squares 0.241 + 0.115 = 0.356; for 0-1 loss 0.400 and 0.163 of a loss of 0.351. A tree on
#   a coin's labels has an accuracy of 0.633 by the default, ".632", 0.555 by ".632+" and 0.542 by "oob".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check mlxtend==0.25.0 scikit-learn==1.9.1 pandas==3.1.1 numpy==2.4.6
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import numpy as np
from mlxtend.evaluate import bias_variance_decomp, bootstrap_point632_score
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier

X, y = load_iris(return_X_y=True)
X = X[:, :2]
train, test, y_train, y_test = train_test_split(X, y, random_state=0, test_size=0.3)
tree = DecisionTreeClassifier(random_state=0)
for kind in ("mse", "0-1_loss"):
    loss, bias, variance = bias_variance_decomp(
        tree, train, y_train, test, y_test, loss=kind, num_rounds=50, random_seed=0
    )
    print(f"{kind}: loss {loss:.3f}, bias {bias:.3f}, variance {variance:.3f}, sum {bias + variance:.3f}")
    assert np.isclose(loss, bias + variance) == (kind == "mse")
assert bias > loss > variance

coin = np.random.default_rng(0).integers(0, 2, len(X))
scores = {
    str(options): np.mean(bootstrap_point632_score(tree, X, coin, n_splits=50, random_seed=0, **options))
    for options in ({}, {"method": ".632"}, {"method": ".632+"}, {"method": "oob"})
}
default, rule_632, plus, out_of_bag = scores.values()
print("accuracy on a coin's labels:", {name: round(score, 3) for name, score in scores.items()})
assert default == rule_632 > 0.6 and out_of_bag < plus < 0.58
PYTHON

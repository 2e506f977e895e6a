"""The figure of the contingency table."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from afterfit import agreement

# --- the figure ---


def test_plot_orders_clusters_by_their_classes():
    ax = agreement.plot_contingency_table(["a", "a", "b", "b", "b"], [2, 2, 0, 0, 1])
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["2", "0", "1"]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["a", "b"]
    assert [text.get_text() for text in ax.texts] == ["2", "0", "0", "0", "2", "1"]
    assert len(ax.patches) == 2
    plt.close(ax.figure)


def test_plot_frames_what_match_labels_matches():
    # Cluster q shares no row with class 1: it is named after no class, and nothing of it framed.
    ax = agreement.plot_contingency_table([0, 0, 0, 0, 1], ["p", "p", "p", "q", "p"])
    (frame,) = ax.patches
    assert np.floor(frame.get_xy()).tolist() == [-1, -1]  # around the cell of class 0 and p
    plt.close(ax.figure)


def test_plot_shows_shares_of_classes_and_labels_as_they_are():
    y_true = ["a$b$"] * 1500 + ["c"] * 10
    y_pred = ["$1$"] * 1200 + ["2"] * 300 + ["$1$"] * 4 + ["2"] * 6
    ax = agreement.plot_contingency_table(y_true, y_pred)
    (image,) = ax.images
    np.testing.assert_allclose(image.get_array(), [[0.8, 0.2], [0.4, 0.6]])
    assert image.get_clim() == (0, 1)
    assert image.colorbar.ax.get_ylabel() == "share of the class"
    shown = [(text.get_text(), text.get_color()) for text in ax.texts]
    assert shown == [("1,200", "white"), ("300", "black"), ("4", "black"), ("6", "white")]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == [r"\$1\$", "2"]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == [r"a\$b\$", "c"]
    plt.close(ax.figure)


def test_plot_uses_the_axes_it_is_given():
    fig, ax = plt.subplots()
    assert agreement.plot_contingency_table([0, 1], [1, 0], ax=ax) is ax
    plt.close(fig)


def test_a_large_table_is_drawn_without_numbers():
    rng = np.random.default_rng(0)
    y_true = rng.integers(150, size=20_000)
    y_pred = np.where(rng.uniform(size=20_000) < 0.9, y_true, rng.integers(150, size=20_000))
    ax = agreement.plot_contingency_table(y_true, y_pred)
    assert not ax.texts
    assert [tick.get_text() for tick in ax.get_yticklabels()] == list(map(str, range(0, 150, 8)))
    assert ax.images[0].get_array().shape == (150, 150)
    assert len(ax.patches) == 150
    plt.close(ax.figure)


def test_plot_of_posteriors_tables_and_without_noise():
    posteriors = pd.DataFrame({"low": [0.9, 0.25], "high": [0.1, 0.75]})
    ax = agreement.plot_contingency_table(["x", "y"], posteriors)
    assert [text.get_text() for text in ax.texts] == ["0.9", "0.1", "0.25", "0.75"]
    plt.close(ax.figure)
    table = pd.DataFrame([[3, 0, 1], [0, 2, 5]], index=["x", "y"], columns=["p", "q", "noise"])
    ax = agreement.plot_contingency_table(table, noise_label="noise")
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["p", "q"]
    plt.close(ax.figure)


def test_plot_and_names_agree_where_matchings_tie():
    y_true, y_pred = ["a", "a", "b", "b"], ["q", "p", "p", "q"]
    ax = agreement.plot_contingency_table(y_true, y_pred)
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["q", "p"]
    assert agreement.match_labels(y_true, y_pred).tolist() == ["a", "b", "b", "a"]
    plt.close(ax.figure)


def test_long_names_of_clusters_are_turned():
    long = [f"cluster number {k}" for k in range(5)]
    for clusters, angle in ((long, 90), (range(5), 0)):
        ax = agreement.plot_contingency_table(range(5), clusters)
        assert {tick.get_rotation() for tick in ax.get_xticklabels()} == {angle}
        plt.close(ax.figure)


def test_zeros_are_not_written_where_numbers_are_many():
    for n, n_written in ((8, 64), (9, 9)):
        ax = agreement.plot_contingency_table(range(n), range(n))
        assert len(ax.texts) == n_written
        plt.close(ax.figure)

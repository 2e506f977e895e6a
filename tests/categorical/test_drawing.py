"""Tests of the figures: each expected number says where it comes from."""

from __future__ import annotations

import numpy as np
import pytest

from afterfit.categorical import (
    choose_n_clusters,
    cluster_profile,
    matching_silhouette_score,
    plot_profile,
    plot_silhouettes,
)


def test_one_cluster_has_no_silhouettes_to_draw():
    result = choose_n_clusters([["a"], ["b"]], [1], criteria=["stability"], n_resamples=1)
    for n_clusters in (None, 1):
        with pytest.raises(ValueError, match="2 or more; the model for 1 has one cluster"):
            result.plot_silhouettes(n_clusters=n_clusters)


def test_figures(votes):
    import matplotlib.pyplot as plt

    X, party = votes
    result = choose_n_clusters(
        X, range(1, 5), n_init=1, n_references=3, n_resamples=2, missing="category", random_state=0
    )
    panel = result.plot()
    titles = [ax.get_title() for ax in panel.flat]
    assert titles[:2] == ["knee: K = 2", "silhouette: K = 2"]
    assert all(
        ax.get_xlabel() == "number of clusters K" and ax.get_ylabel() for ax in panel.flat[:5]
    )
    assert panel.flat[4].get_title().startswith("latent classes: ")
    (rival,) = panel.flat[4].texts
    assert rival.get_text() == result.latent_classes.best_rival
    assert rival.xy[1] == result.latent_classes.rivals[rival.get_text()]
    assert not panel.flat[5].get_visible()
    assert panel[1, 1].xaxis.get_tick_params()["labelbottom"]  # nothing is seen below it
    assert panel.flat[2].containers[0].has_yerr  # the gap with its standard errors
    ax = result.plot_silhouettes(n_clusters=2)
    assert [text.get_text() for text in ax.get_yticklabels()] == ["0", "1"]
    assert "mean 0.49" in ax.texts[0].get_text()
    ax = result.plot_profile(n_columns=2, n_clusters=3)
    assert [text.get_text() for text in ax.get_xticklabels()] == ["all", "0", "1", "2"]
    _, own = plt.subplots(1, 2)
    assert result.plot_profile(ax=own[0]) is own[0]
    weight = np.arange(435) % 3 * (party == "democrat")
    weight[0] = 300  # a republican
    assert plot_silhouettes(X, party, sample_weight=weight, ax=own[1]) is own[1]
    score = matching_silhouette_score(X, party, sample_weight=weight)
    assert f"mean {score:.2f}" in own[1].texts[0].get_text()
    ax = plot_profile(X, party, n_columns=1)
    assert [text.get_text() for text in ax.get_yticklabels()] == [
        "physician_fee_freeze: n",
        "physician_fee_freeze: y",
        "physician_fee_freeze: missing",
    ]
    shares = cluster_profile(X, party).loc["physician_fee_freeze"].drop(columns="cramers_v")
    expected = [f"{100 * share:.0f}" for share in shares.to_numpy().ravel()]
    assert [text.get_text() for text in ax.texts] == expected
    with pytest.raises(ValueError, match="`axes` must hold at least 5 axes"):
        result.plot(own)
    few = choose_n_clusters(X, [1, 2], criteria=["gap"], n_references=2, missing="category")
    assert few.plot().size == 2
    three = choose_n_clusters(
        X, [1, 2], criteria=["silhouette", "gap"], n_references=2, missing="category"
    )
    assert not three.plot().flat[3].get_visible()
    plt.close("all")

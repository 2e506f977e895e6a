"""Tests of the choice of the number of clusters: each expected number says where it comes from."""

from __future__ import annotations

import re

import joblib
import numpy as np
import pandas as pd
import pytest

from afterfit.categorical import (
    KModes,
    NClustersResult,
    _evidence,
    _search,
    _tables,
    choose_n_clusters,
    matching_silhouette_score,
)


@pytest.mark.parametrize(
    ("n_clusters", "noise", "n_values"), [(1, 0.4, 2), (1, 0.2, 4), (3, 0.4, 2), (5, 0.6, 4)]
)
def test_rule_finds_the_number_of_latent_classes(n_clusters, noise, n_values, latent_classes):
    X, _ = latent_classes(300, 20, n_values, n_clusters, noise, 3)
    result = choose_n_clusters(
        X, range(1, 7), n_init=1, n_references=8, n_resamples=2, random_state=0
    )
    assert result.n_clusters == n_clusters


def test_votes_lie_along_a_continuum_with_two_stable_halves(votes):
    X, _ = votes
    result = choose_n_clusters(
        X, range(1, 6), n_init=1, n_references=3, missing="category", random_state=0
    )
    assert (result.n_clusters, result.confidence, result.structure) == (1, "high", "continuum")
    assert "K = 2 cuts the continuum into parts that recur in resamples" in result.summary
    assert result.latent_classes.best_rival == "3 traits"
    assert result.suggestions["silhouette"] == result.suggestions["stability"] == 2
    assert result.table.loc[2, "cost"] == 1701
    assert result.table.loc[2, "silhouette"] == pytest.approx(0.4893, abs=5e-5)
    assert result.table["silhouette"].idxmax() == 2
    assert "they disagree" in result.summary  # the gap goes on growing
    assert result.model is result.models[1]
    two = result.models[2]
    assert (two.predict(X) == two.labels_).all()  # missing values too
    assert two.feature_names_in_.tolist() == X.columns.tolist()
    assert two.get_params()["n_init"] == 1


def test_table_is_that_of_the_models_and_the_definitions(latent_classes, recount):
    X, _ = latent_classes(120, 8, 3, 3, 0.4, 0)
    weight = 1 + np.arange(120) % 3
    result = choose_n_clusters(
        X, [1, 2, 3, 5], sample_weight=weight, n_init=2, n_references=5, random_state=0
    )
    assert list(result.table.columns) == [
        "cost",
        "knee",
        "silhouette",
        "gap",
        "gap_standard_error",
        "stability",
        "stability_standard_error",
        "latent_classes",
    ]
    assert np.isnan(result.table.loc[1, "silhouette"])
    assert result.table.index[result.table["knee"]].tolist() == [result.suggestions["knee"]]
    for k, model in result.models.items():
        assert result.table.loc[k, "cost"] == model.cost_
        assert model.cost_ == recount(X, model.cluster_centroids_, weight)[0]
        assert (model.predict(X) == model.labels_).all()
        if k > 1:
            score = matching_silhouette_score(X, model.labels_, sample_weight=weight)
            assert result.table.loc[k, "silhouette"] == pytest.approx(score, abs=1e-12)
    assert result.table.loc[1, "gap"] == pytest.approx(0, abs=1e-12)  # the margins are kept
    assert result.table.loc[1, "stability"] == 1


def test_weights_and_repeated_rows_choose_alike(latent_classes):
    X, _ = latent_classes(60, 8, 3, 3, 0.3, 0)
    weight = 1 + np.arange(60) % 3
    options = {"criteria": ["knee", "silhouette"], "n_init": 2, "random_state": 0}
    weighted = choose_n_clusters(X, range(1, 6), sample_weight=weight, **options)
    repeated = choose_n_clusters(np.repeat(X, weight, axis=0), range(1, 6), **options)
    pd.testing.assert_frame_equal(weighted.table, repeated.table)


def test_stability_is_low_for_noise_and_high_for_clusters(latent_classes):
    noise, _ = latent_classes(150, 10, 3, 1, 1.0, 0)
    clear, _ = latent_classes(150, 10, 3, 2, 0.2, 0)
    options = {"criteria": ["stability"], "n_init": 2, "n_resamples": 4, "random_state": 0}
    assert choose_n_clusters(noise, [1, 2, 3], **options).suggestions == {"stability": 1}
    assert choose_n_clusters(noise, [2, 3], **options).suggestions == {"stability": None}
    found = choose_n_clusters(clear, [1, 2, 3], **options)
    assert found.suggestions == {"stability": 2}
    assert found.table.loc[2, "stability"] > 0.95


def test_stability_is_the_mean_over_resamples_of_as_many_rows_as_the_table(
    monkeypatch, latent_classes
):
    X, _ = latent_classes(30, 5, 3, 2, 0.4, 0)
    weight = 1 + np.arange(30) % 3
    agreements = [np.array([1.0, 0.2]), np.array([1.0, 0.6])]
    seen = []

    def watched(self, n_rows, *given):
        seen.append(n_rows)
        return agreements[len(seen) - 1]

    monkeypatch.setattr(_evidence.OwnFits, "resample", watched)
    options = {"criteria": ["stability"], "n_init": 1, "n_resamples": 2}
    result = choose_n_clusters(X, [1, 2], sample_weight=weight, **options)
    assert result.table["stability"].tolist() == [1.0, 0.4]
    # 0.2 and 0.6: a standard deviation of 0.2 * sqrt(2), over the square root of two.
    assert result.table["stability_standard_error"].tolist() == pytest.approx([0.0, 0.2])
    assert seen == [weight.sum()] * 2


@pytest.mark.parametrize("estimator", [None, KModes(n_init=1)])
def test_stability_counts_weights_and_draws_with_replacement(
    estimator, monkeypatch, latent_classes
):
    seen, drawn = [], []
    sampled = _tables.sampled

    def watched(packed, n_rows, rng, *, replace=False):
        drawn.append((n_rows, replace))
        return sampled(packed, n_rows, rng, replace=replace)

    monkeypatch.setattr(_evidence, "sampled", watched)
    monkeypatch.setattr(_evidence, "rand_index", lambda a, b, w: seen.append(w.sum()) or 1.0)
    X, _ = latent_classes(30, 5, 3, 2, 0.4, 0)
    options = {"criteria": ["stability"], "n_init": 1, "n_resamples": 1, "estimator": estimator}
    choose_n_clusters(X, [1, 2], sample_weight=np.arange(30), **options)
    assert seen == [435.0] * 2  # 0 + 1 + ... + 29
    assert drawn == [(435, True)]


@pytest.mark.parametrize("estimator", [None, KModes(n_init=1)])
@pytest.mark.parametrize("X", [[["a"]], [["a"], ["b"], ["c"]]])
def test_samples_with_fewer_distinct_rows_than_clusters(X, estimator):
    result = choose_n_clusters(
        X, range(1, len(X) + 1), estimator=estimator, n_init=1, n_references=2, random_state=0
    )
    assert result.table.loc[len(X), "cost"] == 0
    assert np.isfinite(result.table[["gap", "stability"]]).all(axis=None)


def test_numbers_of_clusters_come_in_any_order_and_once(latent_classes):
    X, _ = latent_classes(40, 5, 3, 2, 0.9, 0)
    result = choose_n_clusters(X, [8, 1, 8], criteria=[], n_init=1)
    assert result.table.index.tolist() == [1, 8]
    assert len(set(result.models[8].labels_)) == 8


def test_a_criterion_that_was_not_asked_for_costs_nothing(monkeypatch, latent_classes):
    X, _ = latent_classes(60, 5, 3, 2, 0.4, 0)
    fits = []
    search = _search.search

    def counted(*args, **options):
        fits.append(args)
        return search(*args, **options)

    monkeypatch.setattr(_evidence, "search", counted)
    silhouettes = []
    monkeypatch.setattr(_evidence, "mean_silhouette", lambda *args: silhouettes.append(args) or 0.5)
    expected = {
        (): (3, 0),
        ("knee",): (3, 0),
        ("silhouette",): (3, 2),
        ("gap",): (3 + 4 * 3, 0),
        ("stability",): (3 + 2 * 3, 0),
    }
    tables = []
    for criteria, counts in expected.items():
        fits.clear(), silhouettes.clear()
        result = choose_n_clusters(
            X, [1, 2, 3], criteria=criteria, n_references=4, n_resamples=2, n_init=1, random_state=0
        )
        assert (len(fits), len(silhouettes)) == counts
        assert set(result.suggestions) == set(criteria)
        tables.append(result.table["cost"].tolist())
    assert all(costs == tables[0] for costs in tables)  # and changes no other number


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_n_jobs_does_not_change_the_numbers(n_jobs, latent_classes):
    X, _ = latent_classes(80, 6, 3, 2, 0.4, 0)
    options = {"n_init": 1, "n_references": 3, "n_resamples": 2, "random_state": 5}
    expected = choose_n_clusters(X, [1, 2, 3], **options)
    result = choose_n_clusters(X, [1, 2, 3], n_jobs=n_jobs, **options)
    pd.testing.assert_frame_equal(result.table, expected.table)


def test_fits_go_to_a_dask_cluster(latent_classes):
    distributed = pytest.importorskip("distributed")
    X, _ = latent_classes(80, 6, 3, 2, 0.4, 0)
    options = {"n_init": 1, "n_references": 3, "n_resamples": 2, "random_state": 5}
    expected = choose_n_clusters(X, [1, 2, 3], **options)
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=2, processes=False, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster) as client,
        joblib.parallel_config("dask"),
    ):
        result = choose_n_clusters(X, [1, 2, 3], **options)
        ran = client.run_on_scheduler(lambda dask_scheduler: dask_scheduler.transition_log)
    pd.testing.assert_frame_equal(result.table, expected.table)
    assert len(ran) > 0  # the tasks were the cluster's


def test_another_estimator_is_taken(latent_classes):
    from kmodes.kmodes import KModes as TheirKModes

    X, _ = latent_classes(80, 8, 3, 2, 0.3, 0)
    weight = 1.0 + np.arange(80) % 2
    frame = pd.DataFrame(np.array(["a", "b", "c"])[X], columns=list("abcdefgh"))
    result = choose_n_clusters(
        frame,
        [1, 2, 3],
        estimator=TheirKModes(init="Huang", n_init=2),
        sample_weight=weight,
        n_references=3,
        n_resamples=2,
        criteria=["knee", "silhouette", "gap", "stability"],
        random_state=0,
    )
    assert result.n_clusters == 2
    assert isinstance(result.model, TheirKModes)
    for k, model in result.models.items():
        assert model.n_clusters == k
        assert result.table.loc[k, "cost"] == model.cost_
    assert result.table.loc[1, "gap"] == pytest.approx(0, abs=1e-12)  # the margins are kept
    labels = result.models[2].labels_
    score = matching_silhouette_score(frame, labels, sample_weight=weight)
    assert result.table.loc[2, "silhouette"] == pytest.approx(score, abs=1e-12)


def test_another_estimator_gets_tables_like_the_one_given():
    seen = []

    class Watching(KModes):
        def fit(self, X, y=None, sample_weight=None):
            seen.append(X.dtypes)
            return super().fit(X, y, sample_weight)

    frame = pd.DataFrame({"p": [1, 2, 3, 1], "q": pd.Categorical(["a", "b", "a", "b"])})
    options = {"n_references": 2, "n_resamples": 1, "random_state": 0}
    choose_n_clusters(frame, [1, 2], estimator=Watching(n_init=1), **options)
    assert len(seen) == 2 * (1 + 2 + 1)
    assert all(dtypes.equals(frame.dtypes) for dtypes in seen)


def test_estimator_with_inertia_is_taken(latent_classes):
    from sklearn.cluster import KMeans

    X, _ = latent_classes(80, 8, 2, 2, 0.2, 0)
    options = {"estimator": KMeans(n_init=1), "criteria": ["silhouette"], "random_state": 0}
    result = choose_n_clusters(X, [1, 2, 3, 6], **options)
    assert result.suggestions == {"silhouette": 2}
    again = choose_n_clusters(X, [1, 2, 3, 6], **options)
    pd.testing.assert_frame_equal(result.table, again.table)


def test_large_tables_are_compared_through_samples(monkeypatch, latent_classes):
    monkeypatch.setattr(_evidence, "COMPARED_ROWS", 200)
    monkeypatch.setattr("afterfit.categorical._n_clusters.COMPARED_ROWS", 200)
    seen = []
    independent = _tables.independent

    def watched(packed, rng):
        seen.append(packed.total)
        return independent(packed, rng)

    monkeypatch.setattr(_evidence, "independent", watched)
    X, _ = latent_classes(1000, 12, 3, 3, 0.3, 0)
    result = choose_n_clusters(
        X, range(1, 6), n_init=1, n_references=4, n_resamples=2, random_state=0
    )
    assert result.n_clusters == 3
    assert result.table.loc[1, "gap"] == pytest.approx(0, abs=1e-12)  # one sample for both
    assert seen == [200.0] * 4


def test_progress_is_written_to_the_standard_error(capsys, latent_classes):
    X, _ = latent_classes(40, 4, 3, 2, 0.4, 0)
    choose_n_clusters(X, [1, 2], criteria=["gap"], n_references=2, n_init=1, verbose=True)
    lines = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"choose_n_clusters: fits 2 of 2, [\d.]+ s", lines[0])
    assert lines[-1].startswith("choose_n_clusters: references 2 of 2")
    choose_n_clusters(X, [1, 2], criteria=[], n_init=1)
    assert capsys.readouterr().err == ""


def test_no_choice_says_so(latent_classes):
    X, _ = latent_classes(40, 4, 3, 2, 0.4, 0)
    result = choose_n_clusters(X, [2, 3], criteria=[], n_init=1)
    assert isinstance(result, NClustersResult)
    assert result.n_clusters is None
    with pytest.raises(ValueError, match="No number of clusters was chosen"):
        _ = result.model
    with pytest.raises(ValueError, match="`n_clusters` must be one of 2, 3, got 4"):
        result.plot_profile(n_clusters=4)
    with pytest.raises(TypeError, match=r"`n_clusters` must be an integer, got \[2\]"):
        result.plot_profile(n_clusters=[2])


def test_default_k_values_stop_at_the_number_of_distinct_rows():
    X = [["a", "x"], ["b", "y"], ["b", "x"], ["a", "x"]]
    options = {"criteria": ["knee"], "n_init": 1}
    assert choose_n_clusters(X, **options).table.index.tolist() == [1, 2, 3]
    weighted = choose_n_clusters(X, sample_weight=[1, 1, 0, 1], **options)
    assert weighted.table.index.tolist() == [1, 2]
    many = np.arange(40)[:, None]
    assert choose_n_clusters(many, **options).table.index.tolist() == list(range(1, 11))


def test_one_answer_for_indicators_and_what_they_indicate(latent_classes):
    # One-hot columns, all of them or without the first, of independent columns and of clusters.
    independent = np.random.default_rng(0).integers(4, size=(600, 6))
    clustered, _ = latent_classes(500, 12, 3, 3, 0.35, 0)
    for X, expected in ((independent, 1), (clustered, 3)):
        frame = pd.DataFrame(X).astype(str)
        for table in (X, pd.get_dummies(frame), pd.get_dummies(frame, drop_first=True)):
            found = choose_n_clusters(
                table, range(1, 6), criteria=["latent_classes"], n_init=1, random_state=0
            )
            assert found.n_clusters == expected


def test_more_clusters_than_were_tried(latent_classes):
    X, _ = latent_classes(800, 15, 4, 7, 0.2, 0)
    options = {"criteria": ["latent_classes"], "n_init": 1, "random_state": 0}
    result = choose_n_clusters(X, range(1, 5), **options)
    assert (result.n_clusters, result.confidence) == (None, "none")
    assert result.structure == "more clusters"
    assert "try more" in result.summary
    assert choose_n_clusters(X, range(1, 9), **options).n_clusters == 7  # the advice helps


def test_names_of_columns_are_checked_before_anything_is_fitted(monkeypatch):
    monkeypatch.setattr(_search, "search", None)
    frame = pd.DataFrame([["a", "x"], ["b", "y"]], columns=["p", 1])
    with pytest.raises(TypeError, match="text for all of its column names or for none, got 'p' an"):
        choose_n_clusters(frame, [1, 2])
    frame.columns = frame.columns.astype(str)  # what the message advises
    monkeypatch.undo()
    assert choose_n_clusters(frame, [1, 2], criteria=[], n_init=1).table.index.tolist() == [1, 2]

"""Risks by closed form, by brute force, and by Monte Carlo with its standard error."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, norm
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KernelDensity

from afterfit.boundary import BayesRule, _mass, _risk
from afterfit.mixture import GaussianMixtureParameters

IDENTITY = np.eye(2)


def normals(means, covariances=None, **options):
    """Return the rule of normal densities, with unit covariances unless given."""
    covariances = [IDENTITY] * len(means) if covariances is None else covariances
    densities = [multivariate_normal(m, c) for m, c in zip(means, covariances, strict=True)]
    return BayesRule(densities, **options)


class TestErrorRate:
    @pytest.mark.parametrize("prior", [0.5, 0.8, 0.999])
    @pytest.mark.parametrize("kind", ["frozen", "function", "plane", "plane function"])
    def test_two_normals_with_equal_covariances(self, kind, prior):
        # Fukunaga (1990), section 3.1: with t = log(p1 / p0) / delta,
        # risk = p0 Phi(-delta / 2 + t) + p1 Phi(-delta / 2 - t).
        delta = 2.0
        t = np.log((1 - prior) / prior) / delta
        expected = prior * norm.cdf(-delta / 2 + t) + (1 - prior) * norm.cdf(-delta / 2 - t)
        if kind == "frozen":
            sources = [norm(0), norm(delta)]
        elif kind == "function":
            sources = [lambda x: norm.logpdf(x, 100), lambda x: norm.logpdf(x, 100 + delta)]
        else:
            S = np.array([[2.0, 1.2], [1.2, 1.0]])
            step = np.linalg.cholesky(S) @ [delta * 0.6, delta * 0.8]
            sources = [multivariate_normal(m, S) for m in ([5, 5], step + 5)]
            if kind == "plane function":
                sources = [source.logpdf for source in sources]
        n_features = 2 if kind.startswith("plane") else None
        rate = BayesRule(sources, priors=[prior, 1 - prior], n_features=n_features).error_rate()
        assert rate.risk == pytest.approx(expected, abs=1e-9)
        assert abs(rate.risk - expected) <= max(rate.error, 1e-12)
        assert rate.error < 1e-8
        assert rate.mass == pytest.approx(1, abs=1e-8)

    def test_concentric_circles(self):
        # |x|^2 is exponential: decided for the inner class within r^2 = 8 log(2) 4 / 3 ... from
        # r^2 (1 - 1/4) / 2 = log 4; errors exp(-r^2 / 2) outside and 1 - exp(-r^2 / 8) inside.
        r2 = 2 * np.log(4) / (1 - 0.25)
        expected = 0.5 * np.exp(-r2 / 2) + 0.5 * (1 - np.exp(-r2 / 8))
        rate = normals([(0, 0), (0, 0)], [IDENTITY, 4 * IDENTITY]).error_rate()
        assert rate.risk == pytest.approx(expected, abs=1e-9)
        np.testing.assert_allclose(
            rate.confusion,
            [[0.5 - 0.5 * np.exp(-r2 / 2), 0.5 * np.exp(-r2 / 2)],
             [0.5 * (1 - np.exp(-r2 / 8)), 0.5 * np.exp(-r2 / 8)]],
            atol=1e-6,
        )  # fmt: skip

    def test_reject_option(self):
        # N(-1, 1) and N(1, 1), reject where |x| < h, 2 h = log((1 - c) / c).
        c = 0.1
        h = np.log((1 - c) / c) / 2
        wrong, rejected = norm.cdf(-h - 1), norm.cdf(h - 1) - norm.cdf(-h - 1)
        rate = BayesRule([norm(-1), norm(1)], reject_cost=c, reject_label="ask").error_rate()
        assert rate.risk == pytest.approx(wrong + c * rejected, abs=1e-9)
        assert rate.confusion["ask"].sum() == pytest.approx(rejected, abs=1e-8)

    def test_losses(self):
        # Threshold at 2 x = log(1 / 10); risk = (1/2) P0(x > t) 1 + (1/2) P1(x < t) 10.
        t = np.log(1 / 10) / 2
        expected = 0.5 * norm.sf(t + 1) + 5 * norm.cdf(t - 1)
        for rule in (
            BayesRule([norm(-1), norm(1)], losses=[[0, 1], [10, 0]]),
            normals([(-1, 0), (1, 0)], losses=[[0, 1], [10, 0]]),
        ):
            rate = rule.error_rate()
            assert rate.risk == pytest.approx(expected, abs=1e-8)
            table = rate.confusion.to_numpy()
            assert (table * [[0, 1], [10, 0]]).sum() == pytest.approx(expected, abs=1e-6)

    def test_three_normals_on_a_line(self):
        # Means 0, 2, 4: the outer classes err on one side, the inner on both: 4/3 Phi(-1).
        rate = BayesRule([norm(0), norm(2), norm(4)]).error_rate()
        assert rate.risk == pytest.approx(4 / 3 * norm.cdf(-1), abs=1e-9)

    def test_heavy_tails(self):
        # Two Cauchy distributions 2 apart: P(X > 1) = 1/4; as functions, without quantiles, too.
        frozen = BayesRule([stats.cauchy(0), stats.cauchy(2)])
        functions = BayesRule(
            [lambda x: stats.cauchy.logpdf(x), lambda x: stats.cauchy.logpdf(x, 2)]
        )
        for rule in (frozen, functions):
            assert rule.error_rate().risk == pytest.approx(0.25, abs=1e-8)
        # Spherical Student in the plane: its marginals are Student, t_3 sf(1) = 0.1955011.
        plane = BayesRule([stats.multivariate_t(m, df=3) for m in ([0, 0], [2, 0])])
        assert plane.error_rate().risk == pytest.approx(stats.t.sf(1, 3), abs=1e-8)

    def test_supports_with_edges(self):
        # Uniform on [0, 2] and [1, 3]: half the overlap of one half each, 1/4.
        rate = BayesRule([stats.uniform(0, 2), stats.uniform(1, 2)]).error_rate()
        assert rate.risk == pytest.approx(0.25, abs=1e-8)

    @pytest.mark.parametrize("at", [0.5, 0.5123])
    def test_supports_of_functions_are_looked_for(self, at):
        # Uniform on the squares (-at - 1, -at + 1) x (-1, 1) and (-0.5, 1.5) x (-1, 1): half the
        # overlap of width 1.5 - at; in one feature the same.
        def square(centre):
            def log_density(X):
                inside = (np.abs(X[:, 0] - centre) < 1) & (np.abs(X[:, 1]) < 1)
                return np.where(inside, -np.log(4), -np.inf)

            return log_density

        def interval(centre):
            return lambda x: stats.uniform.logpdf(x, centre - 1, 2)

        plane = BayesRule([square(-at), square(0.5)], n_features=2).error_rate()
        line = BayesRule([interval(20 - at), interval(20.5)]).error_rate()
        for rate in (plane, line):
            assert rate.risk == pytest.approx((1.5 - at) / 4, abs=1e-9)

    def test_discs_are_found_and_their_error_told(self):
        # Two discs of radius 2, centres 2 apart: half the area of the lens over that of a disc.
        def disc(cx):
            def log_density(X):
                inside = (X[:, 0] - cx) ** 2 + X[:, 1] ** 2 < 4
                return np.where(inside, -np.log(4 * np.pi), -np.inf)

            return log_density

        lens = 2 * 4 * np.arccos(0.5) - 0.5 * 2 * np.sqrt(16 - 4)
        rule = BayesRule([disc(-1), disc(1)], n_features=2)
        rate = rule.error_rate(tolerance=1e-4)
        assert abs(rate.risk - 0.5 * lens / (4 * np.pi)) < min(1e-4, 10 * rate.error)
        with pytest.warns(UserWarning, match=r"known to within .*, not 1e-08, .*`max_evaluations`"):
            cut = rule.error_rate(max_evaluations=100_000)
        assert cut.n_evaluations < 1_000_000
        assert abs(cut.risk - rate.risk) < cut.error

    def test_pole_at_the_right_end(self):
        # beta(1/2, 1/2), the arcsine law, against the uniform: equal at 1/2 +- h, where
        # pi^2 (1/4 - h^2) = 1; arcsine probability of the middle is (2/pi) asin(2 h).
        h = np.sqrt(0.25 - 1 / np.pi**2)
        expected = 0.5 * (2 / np.pi * np.arcsin(2 * h)) + 0.5 * (1 - 2 * h)
        rate = BayesRule([stats.beta(0.5, 0.5), stats.uniform(0, 1)]).error_rate()
        assert rate.risk == pytest.approx(expected, abs=1e-8)
        assert abs(rate.risk - expected) <= rate.error

    def test_mass_that_no_float_can_reach_counts_as_error(self):
        # Between 1 - 2^-53 and 1 lies a probability of 3e-5 of beta(1/4, 1/4), and no float.
        rule = BayesRule([stats.beta(0.25, 0.25), stats.uniform(0, 1)])
        a, b = rule.boundary((1e-3, 1 - 1e-3)).points
        inside = stats.beta(0.25, 0.25).cdf([a, b])
        expected = 0.5 * (inside[1] - inside[0]) + 0.5 * (1 - (b - a))
        with pytest.warns(UserWarning, match="known to within"):
            rate = rule.error_rate()
        assert rate.error == pytest.approx(1 - rate.mass, rel=1e-2)
        assert abs(rate.risk - expected) <= rate.error
        ten = BayesRule([stats.beta(0.25, 0.25), stats.uniform(0, 1)], losses=[[0, 10], [10, 0]])
        with pytest.warns(UserWarning, match="known to within 0.0002, not 3e-05"):
            cost = ten.error_rate(tolerance=3e-5)
        assert cost.error == pytest.approx(10 * (1 - cost.mass), rel=0.3)

    def test_densities_beyond_the_largest_float_are_not_integrated(self):
        pole = BayesRule([stats.gamma(0.01), stats.gamma(1)])  # exp(711) at the least float
        with pytest.raises(ValueError, match=r"class 0 \(gamma\) reaches exp\(71.* largest float"):
            pole.error_rate()
        shifted = BayesRule([lambda x: 1000 - x * x, lambda x: 1000 - (x - 1) ** 2])
        for method in ("integration", "monte_carlo"):
            with pytest.raises(ValueError, match=r"reaches exp\((999|100\d).* largest float"):
                shifted.error_rate((-5, 5), method=method, random_state=0)

    def test_far_from_the_origin(self):
        # A thousand million standard deviations off, floats are 1e-7 apart; at 1e14, 0.02.
        far = normals([(1e10, 1e10), (1e10 + 2, 1e10)])
        with pytest.warns(UserWarning, match=r"known to within .*after [1-9]\d{5} points"):
            rate = far.error_rate(max_evaluations=300_000)
        assert abs(rate.risk - norm.cdf(-1)) < rate.error < 1e-3
        with pytest.raises(ValueError, match=r"too narrow for floats .* subtract a constant"):
            BayesRule([norm(1e14), norm(1e14 + 2)]).error_rate()

    def test_pole_at_the_edge(self):
        # chi2(1) against expon: P(decide wrongly) from the roots of the log ratio and the cdfs.
        rule = BayesRule([stats.chi2(1), stats.expon()])
        a, b = rule.boundary((1e-9, 20)).points
        wrong = stats.chi2(1).cdf(b) - stats.chi2(1).cdf(a) + stats.expon.cdf(a) + stats.expon.sf(b)
        assert rule.error_rate().risk == pytest.approx(0.5 * wrong, abs=1e-8)

    def test_narrow_and_wide(self):
        # N(c, s^2 I) in N(0, I): risk from noncentral chi-squared probabilities of the circle.
        s, c = 1e-3, np.array([0.3, 0.2])
        rule = normals([(0, 0), c], [IDENTITY, s * s * IDENTITY])
        a = 1 / s**2
        centre = a * c / (a - 1)
        r2 = (4 * np.log(1 / s) - a * c @ c) / (a - 1) + centre @ centre
        inside0 = stats.ncx2.cdf(r2, 2, centre @ centre)
        shifted = (centre - c) / s
        outside1 = stats.ncx2.sf(r2 / s**2, 2, shifted @ shifted)
        assert rule.error_rate().risk == pytest.approx(0.5 * (inside0 + outside1), abs=1e-9)

    def test_a_region_cuts_the_integral(self):
        rule = BayesRule([norm(-1), norm(1)])
        half = rule.error_rate(region=(0, 50))
        assert half.risk == pytest.approx(0.5 * norm.cdf(-1), abs=1e-9)
        assert half.mass == pytest.approx(0.5, abs=1e-9)
        square = normals([(-1, 0), (1, 0)]).error_rate(region=((0, 20), (0, 20)))
        assert square.risk == pytest.approx(0.25 * norm.cdf(-1), abs=1e-8)
        drawn = normals([(-1, 0), (1, 0)]).error_rate(
            ((0, 6), (0, 6)), method="monte_carlo", random_state=0
        )
        assert abs(drawn.risk - 0.25 * norm.cdf(-1)) < 4 * drawn.error

    @pytest.mark.parametrize("functions", [False, True])
    @pytest.mark.parametrize("d", [3, 8])
    def test_monte_carlo_above_two_features(self, d, functions):
        shift = np.zeros(d)
        shift[0] = 2
        sources = [multivariate_normal(np.zeros(d)), multivariate_normal(shift)]
        if functions:
            sources = [source.logpdf for source in sources]
        rate = BayesRule(sources, n_features=d).error_rate(n_draws=50_000, random_state=3)
        assert rate.method == "monte_carlo"
        assert abs(rate.risk - norm.cdf(-1)) < 4 * rate.error
        assert rate.error < (0.01 if functions else 0.001)

    def test_heavy_tails_in_five_features_as_functions(self):
        # Spherical Cauchy distributions: the marginal is Cauchy, P(X > 1) = 1/4.
        rule = BayesRule(
            [stats.multivariate_t(np.eye(5)[0] * m, df=1).logpdf for m in (0, 2)], n_features=5
        )
        rate = rule.error_rate(n_draws=50_000, random_state=0)
        assert abs(rate.risk - 0.25) < 4 * rate.error
        assert rate.error < 0.004

    def test_many_features_do_not_underflow(self):
        # Means 2 standard deviations apart; the densities are below 1e-308 almost everywhere.
        wide = 1e4 * np.eye(150)
        frozen = [multivariate_normal(m * np.eye(150)[0], wide) for m in (0, 200)]
        assert multivariate_normal.pdf(frozen[0].rvs(random_state=0), np.zeros(150), wide) == 0
        rate = BayesRule(frozen).error_rate(n_draws=1000, random_state=0)
        assert abs(rate.risk - norm.cdf(-1)) < 4 * rate.error
        assert rate.mass == pytest.approx(1)

    def test_the_standard_error_is_one(self):
        # 200 runs: standardised errors have mean 0 and standard deviation 1, to 4 standard errors.
        # Unequal priors; the truth as in the test of two normals with equal covariances.
        means, priors = ([0, 0, 0], [2, 0, 0]), [0.95, 0.05]
        rule = BayesRule([multivariate_normal(mean) for mean in means], priors=priors)
        t = np.log(priors[1] / priors[0]) / 2
        exact = priors[0] * norm.cdf(-1 + t) + priors[1] * norm.cdf(-1 - t)
        rates = [rule.error_rate(n_draws=1000, random_state=seed) for seed in range(200)]
        assert rates[0].n_evaluations == 1000
        z = np.array([(rate.risk - exact) / rate.error for rate in rates])
        assert abs(z.mean()) < 4 / np.sqrt(200)
        assert abs(z.std() - 1) < 4 / np.sqrt(400)

    def test_the_standard_error_by_hand(self):
        # The same draws: sum over classes of prior^2 var(1 - largest posterior) / count.
        priors, rng = np.array([0.2, 0.8]), np.random.default_rng(0)
        rule = BayesRule([norm(0), norm(2)], priors=priors)
        draws = [norm(m).rvs(size=n, random_state=rng) for m, n in ((0, 200), (2, 800))]
        losses = [1 - rule.posterior(x).max(axis=1) for x in draws]
        squared = sum(p**2 * e.var(ddof=1) / len(e) for p, e in zip(priors, losses, strict=True))
        rate = rule.error_rate(method="monte_carlo", n_draws=1000, random_state=0)
        assert rate.error == pytest.approx(np.sqrt(squared), rel=1e-10)

    def test_the_standard_error_of_importance_sampling_is_one(self):
        # Uniform draws from a region, 200 runs as above; the truth by integration there.
        region = ((-3.0, 4.0), (-3.0, 3.0))
        rule = normals([(-1, 0), (1, 0)], losses=[[0, 1], [3, 0]])
        exact = rule.error_rate(region).risk
        rates = [
            rule.error_rate(region, method="monte_carlo", n_draws=400, random_state=seed)
            for seed in range(200)
        ]
        z = np.array([(rate.risk - exact) / rate.error for rate in rates])
        assert abs(z.mean()) < 4 / np.sqrt(200)
        assert abs(z.std() - 1) < 0.25

    def test_the_watched_error_is_that_of_the_risk(self):
        # Only one entry of the losses counts: what is watched is its share, not its mirror image.
        rule = BayesRule([norm(-1), norm(1)], losses=[[0, 7], [0, 0]], priors=[0.9, 0.1])
        problem = _risk.Problem(
            rule._densities, rule.priors, rule._log_joints, rule._table, rule._judge(None, 1)
        )
        np.testing.assert_array_equal(problem.controlled(), [[0, 1], [7, 1], [0, 1], [0, 1]])

    def test_integration_and_draws_agree(self):
        rule = normals(
            [(0, 0), (2, 0), (0, 2)],
            [IDENTITY, np.diag([0.3, 2]), 0.5 * IDENTITY],
            priors=[0.5, 0.2, 0.3],
            losses=[[0, 1, 2], [4, 0, 1], [1, 3, 0]],
            reject_cost=0.7,
        )
        exact = rule.error_rate()
        drawn = rule.error_rate(method="monte_carlo", random_state=0)
        assert abs(exact.risk - drawn.risk) < 4 * drawn.error
        np.testing.assert_allclose(exact.confusion, drawn.confusion, atol=5e-3)
        np.testing.assert_allclose(exact.confusion.sum(axis=1), rule.priors, atol=1e-8)

    @pytest.mark.parametrize(
        "source",
        [
            norm(1, 2),
            stats.Normal(mu=1.0, sigma=2.0),
            stats.gaussian_kde([0.0, 1.0, 4.0]),
            KernelDensity(bandwidth=0.5).fit([[0.0], [1.0], [4.0]]),
            KernelDensity(kernel="tophat").fit([[0.0], [1.0], [4.0]]),
            KernelDensity(kernel="epanechnikov").fit([[0.0], [1.0], [4.0]]),
            GaussianMixtureParameters([0.2, 0.8], [[0.0], [3.0]], [1.0, 2.0], "spherical"),
        ],
        ids=lambda source: type(source).__name__ + getattr(source, "kernel", ""),
    )
    def test_draws_are_from_the_density(self, source):
        rule = BayesRule([source, norm(2)])
        rate = rule.error_rate(method="monte_carlo", n_draws=20_000, random_state=0)
        assert abs(rate.risk - rule.error_rate(tolerance=1e-5).risk) < 4 * rate.error
        density = rule._densities[0]
        if density.sample is None:  # then draws are weighted
            return
        rng = np.random.default_rng(0)
        one, two = (density.sample(2000, rng)[:, 0] for _ in range(2))
        assert (one != two).all()
        x = np.linspace(-20, 20, 40_001)  # the distribution function, by summing the density
        summed = np.cumsum(np.exp(rule.log_joints(x)[:, 0])) * 2 * 1e-3
        assert stats.kstest(one, lambda at: np.interp(at, x, summed)).pvalue > 1e-3

    def test_same_seed_same_draws_and_generators_move_on(self):
        rule = BayesRule([multivariate_normal(np.zeros(3)), multivariate_normal(np.ones(3))])
        one, two = (rule.error_rate(n_draws=1000, random_state=5) for _ in range(2))
        assert one.risk == two.risk
        rng = np.random.default_rng(5)
        assert rule.error_rate(n_draws=1000, random_state=rng).risk == one.risk
        assert rule.error_rate(n_draws=1000, random_state=rng).risk != one.risk

    def test_the_risk_of_another_rule(self):
        # Threshold at 0.3 rather than 0 between N(-1, 1) and N(1, 1).
        truth = BayesRule([norm(-1), norm(1)], classes=["a", "b"])
        shifted = BayesRule([norm(-0.7), norm(1.3)], classes=["a", "b"])
        expected = 0.5 * (norm.sf(1.3) + norm.cdf(-0.7))
        assert truth.error_rate(of=shifted).risk == pytest.approx(expected, abs=1e-8)
        # ... with the classes in another order, in the plane, and by draws.
        other = BayesRule([norm(1.3), norm(-0.7)], classes=["b", "a"])
        assert truth.error_rate(of=other).risk == pytest.approx(expected, abs=1e-8)
        plane = normals([(-1, 0), (1, 0)])
        off = normals([(-0.7, 0), (1.3, 0)])
        assert plane.error_rate(of=off).risk == pytest.approx(expected, abs=1e-6)
        drawn = plane.error_rate(of=off, method="monte_carlo", random_state=0)
        assert abs(drawn.risk - expected) < 4 * drawn.error
        rng = np.random.default_rng(0)
        X = np.concatenate([rng.normal(m, 1, size=(400, 2)) for m in ((-1, 0), (1, 0))])
        logistic = LogisticRegression().fit(X, np.repeat([0, 1], 400))
        rate = plane.error_rate(of=logistic, random_state=0)
        assert rate.method == "monte_carlo"
        assert norm.cdf(-1) - 4 * rate.error < rate.risk < norm.cdf(-1) + 0.01
        # Fitted on a table, it is asked by the names of the table's columns.
        table = pd.DataFrame(X, columns=["x1", "x2"])
        named = LogisticRegression().fit(table, np.repeat([0, 1], 400))
        assert plane.error_rate(of=named, random_state=0).risk == rate.risk

    def test_densities_that_do_not_integrate_to_one(self):
        half = BayesRule([lambda x: norm.logpdf(x) - np.log(2), norm(1).logpdf])
        with pytest.raises(ValueError, match=r"class 0 .*integrates to 0.5 over .*`region`"):
            half.error_rate()
        many = BayesRule([lambda X: -np.sum(X**2, axis=1), lambda X: -np.sum(X**2, axis=1)],
                         n_features=3)  # fmt: skip
        with pytest.raises(ValueError, match=r"integrate to 5\.\d+ by Monte Carlo"):
            many.error_rate(random_state=0, n_draws=5000)

    def test_a_function_zero_wherever_one_looks(self):
        rule = BayesRule([lambda x: norm.pdf(x, 12345.6, 1e-3), norm(0).pdf], values="density")
        with pytest.raises(
            ValueError, match=r"class 0 .*is zero at all .*`region`, or give its log"
        ):
            rule.error_rate()
        silent = BayesRule([lambda x: np.full(len(x), -np.inf), norm(0)])
        with pytest.raises(ValueError, match=r"class 0 .*is zero at all .*`region`\.$"):
            silent.error_rate()

    def test_modes_that_were_not_found_are_reached_by_widening(self):
        # Twelve normals 100 apart in one function, more than are climbed to one by one.
        def comb(first):
            centres = first + 100.0 * np.arange(12)
            return lambda x: logsumexp(norm.logpdf(x[:, None], centres), axis=1) - np.log(12)

        rate = BayesRule([comb(0), comb(2)]).error_rate()
        assert rate.risk == pytest.approx(norm.cdf(-1), abs=1e-8)

    def test_number_of_features_of_functions(self):
        rule = BayesRule([lambda X: -np.sum(X**2, axis=-1)] * 2)
        with pytest.raises(ValueError, match="`n_features` is not known"):
            rule.error_rate()

        def of_any(X):
            return -np.abs(X).reshape(len(X), -1).sum(axis=1)

        with pytest.raises(ValueError, match="`n_features` is not known"):
            BayesRule([of_any] * 2).error_rate()

    def test_bounds(self):
        # 0 <= Bayes error <= min(1 - largest prior), and Cover and Hart's half of nearest neighbour
        # needs no test here; the Bhattacharyya bound: risk <= sqrt(p q) exp(-B).
        rng = np.random.default_rng(0)
        for _ in range(5):
            gap, s, p = rng.uniform(0, 4), rng.uniform(0.2, 3), rng.uniform(0.05, 0.95)
            risk = BayesRule([norm(0), norm(gap, s)], priors=[p, 1 - p]).error_rate().risk
            b = gap**2 / (4 * (1 + s * s)) + 0.5 * np.log((1 + s * s) / (2 * s))
            assert 0 <= risk <= min(p, 1 - p) + 1e-9
            assert risk <= np.sqrt(p * (1 - p)) * np.exp(-b) + 1e-9


class Counted:
    """A function of several features that counts its points, and refuses to be called with none."""

    def __init__(self, density):
        self.density, self.n = density, 0

    def __call__(self, X):
        assert len(X) > 0
        self.n += len(X)
        return np.reshape(self.density.logpdf(X), len(X))


class TestEvaluations:
    densities = (
        multivariate_normal([0, 0]),
        multivariate_normal([2, 0], [[2.0, 0.5], [0.5, 0.3]]),
        stats.multivariate_t([0, 0], df=2),
        stats.multivariate_t([2, 0], df=2),
    )

    @pytest.mark.parametrize("at_most", [1000, 20_000, 60_000, 300_000])
    @pytest.mark.parametrize("pair", [(0, 1), (2, 3)], ids=["normal", "heavy tails"])
    @pytest.mark.parametrize("region", [None, ((-8, 8), (-8, 8))], ids=["plane", "square"])
    def test_no_more_are_made_than_were_asked_for(self, pair, at_most, region):
        functions = [Counted(self.densities[k]) for k in pair]
        rule = BayesRule(functions, n_features=2)
        if region is None and at_most <= 20_000:  # the search for the mass alone takes more
            with pytest.raises(ValueError, match=r"`max_evaluations` must be above the .*`region`"):
                rule.error_rate(max_evaluations=at_most)
            return
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            rate = rule.error_rate(region, max_evaluations=at_most)
        assert max(f.n for f in functions) <= rate.n_evaluations <= at_most
        exact = BayesRule([self.densities[k] for k in pair]).error_rate(region).risk
        assert abs(rate.risk - exact) <= max(rate.error, 1e-9)
        assert bool(said) == (rate.error > 1e-8)

    @pytest.mark.parametrize("at_most", [1000, 5000])
    def test_in_one_feature(self, at_most):
        functions = [lambda x: norm.logpdf(x), lambda x: norm.logpdf(x, 2, 0.01)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rate = BayesRule(functions).error_rate((-9, 9), max_evaluations=at_most)
        assert rate.n_evaluations <= at_most
        assert abs(rate.risk - BayesRule(functions).error_rate((-9, 9)).risk) <= rate.error + 1e-9

    def test_what_the_warning_advises_helps(self):
        rule = BayesRule(self.densities[:2])
        with pytest.warns(UserWarning, match=r"Raise `max_evaluations` \(now 40000\), or use"):
            rough = rule.error_rate(max_evaluations=40_000)
        assert rule.error_rate(max_evaluations=2_000_000).error < 1e-8 < rough.error
        poles = BayesRule([stats.beta(0.25, 0.25), stats.uniform(0, 1)])
        with pytest.warns(UserWarning, match="More evaluations would not help.*raise `tolerance`"):
            rate = poles.error_rate()
        assert poles.error_rate(tolerance=1.01 * rate.error).risk == pytest.approx(rate.risk)

    def test_curves_that_rounding_makes_far_out_do_not_cost_the_risk(self):
        # Student distributions of 2 degrees of freedom: the line halfway; t_2 has sf(1) = 0.2113.
        functions = [density.logpdf for density in self.densities[2:]]
        rate = BayesRule(functions, n_features=2).error_rate()
        assert rate.risk == pytest.approx(stats.t.sf(1, 2), abs=1e-8)
        assert rate.n_evaluations < 3_000_000


@pytest.mark.parametrize("spreads", [[2e4, 1e-2, 1.0], [2e5, 1e-3, 1.0], [1e7, 1e-4, 1.0]])
def test_features_in_very_different_units_are_drawn_from(spreads):
    # Income beside a rate; means two standard deviations apart: Phi(-1), to 4 standard errors.
    spreads = np.array(spreads)
    means = np.array([5e4, 0.05, 0.0]) + np.outer([0, 2], spreads * [1, 0, 0])
    functions = [lambda X, m=m: norm.logpdf(X, m, spreads).sum(axis=1) for m in means]
    rate = BayesRule(functions, n_features=3).error_rate(random_state=0)
    assert abs(rate.risk - norm.cdf(-1)) < 4 * rate.error < 0.01


def test_the_proposal_is_what_it_draws_from():
    # Its density by SciPy; its draws by the mean of the inverse density over a square.
    mean, covariance = np.array([1.0, 2.0]), np.array([[2.0, 0.5], [0.5, 1.0]])
    proposal = _mass.Proposal(mean[None], covariance[None])
    X = proposal.sample(40_000, np.random.default_rng(0))
    parts = [stats.multivariate_t(mean, 1.5**2 * covariance, df=df).pdf(X) for df in (4, 1)]
    np.testing.assert_allclose(np.exp(proposal.log_density(X)), np.mean(parts, axis=0))
    weights = np.where(np.abs(X - mean).max(axis=1) < 3, np.exp(-proposal.log_density(X)), 0.0)
    assert abs(weights.mean() - 36) < 4 * weights.std() / 200

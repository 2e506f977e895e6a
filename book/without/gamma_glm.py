from scipy.stats import gamma


def lower_tail_probability(results, y):  # rows of a fit without weights
    shape = 1 / results.scale  # statsmodels calls the dispersion scale
    return gamma.cdf(y, shape, scale=results.fittedvalues / shape)

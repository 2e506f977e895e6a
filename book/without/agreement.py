from sklearn.metrics.cluster import contingency_matrix


def purity(y_true, y_pred):
    counts = contingency_matrix(y_true, y_pred)
    return counts.max(axis=0).sum() / counts.sum()

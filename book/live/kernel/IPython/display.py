"""`display`, as chapters and `afterfit.runs.record` call it."""


def display(*objects, raw=False, metadata=None, **_):
    import afterfit_live

    for value in objects:
        afterfit_live.show(value if raw else afterfit_live.bundle(value), metadata)

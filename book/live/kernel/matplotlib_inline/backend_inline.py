"""What `afterfit.runs.book_style` sets: how figures are written."""


def set_matplotlib_formats(*formats, **options):
    import afterfit_live

    afterfit_live.display.figure = options

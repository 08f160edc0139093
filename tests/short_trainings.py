"""What shortens the work where a test asks only whether code runs: in a cell, or by `exec`."""

CODE = """
import keras
import kdec

keras.Model.fit = lambda model, *x, epochs=1, fit=keras.Model.fit, **options: fit(
    model, *x, epochs=min(epochs, 3), **options
)
kdec.DEC.fit = lambda model, *x, update_interval=140, fit=kdec.DEC.fit, **options: fit(
    model, *x, update_interval=min(update_interval, 10), **options
)
kdec.choose_n_clusters = lambda *x, choose=kdec.choose_n_clusters, **options: choose(
    *x, **{"n_resamples": 2, **options}
)
"""

"""One function a picture: arrays in, a Matplotlib Axes or Figure out.

Functions that draw one panel take ``ax`` and return it; without ``ax`` they make a figure with
pyplot, so that notebooks show it. Functions that draw several panels return the Figure. In both
cases ``.figure`` is the figure to save and to close::

    picture = kdec.plots.confusion_matrix(y_true, y_pred)
    picture.figure.savefig("confusion_matrix.png", dpi=150)
    plt.close(picture.figure)

Names out of the data, such as labels, clusters, the titles of images and the keys of curves, are
drawn as they stand: on one line, without formulas, and shortened in the middle where there is no
room. Titles and labels of axes are the author's: ``"$k$"`` is drawn as a formula, and what is none
as it stands. Every function draws up to 1,000 clusters. A legend that leaves out names says so.

No function calls ``show``, closes a figure that it returns, or changes Matplotlib's settings.
"""

from kdec.lazy_names import lazy_names

# They load on first use: a training need not wait for Matplotlib.
__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "agreement": ["confusion_matrix"],
        "curves": ["curve_band", "curve_grid", "learning_curves"],
        "embeddings": ["embedding_2d", "embedding_3d", "embedding_3d_animation"],
        "images": ["centroid_images", "image_rows", "reconstructions"],
        "names": ["printable"],
        "numbers_of_clusters": ["choice_of_k"],
        "partitions": ["clusters_2d", "elbow"],
        "points": ["label_colors"],
        "random_views": ["views"],
    },
)

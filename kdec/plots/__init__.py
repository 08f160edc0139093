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

from kdec.plots.agreement import confusion_matrix
from kdec.plots.curves import curve_band, curve_grid, learning_curves
from kdec.plots.embeddings import embedding_2d, embedding_3d, embedding_3d_animation
from kdec.plots.images import centroid_images, image_rows, reconstructions
from kdec.plots.names import printable
from kdec.plots.numbers_of_clusters import choice_of_k
from kdec.plots.partitions import clusters_2d, elbow
from kdec.plots.points import label_colors
from kdec.plots.random_views import views

__all__ = [
    "centroid_images",
    "choice_of_k",
    "clusters_2d",
    "confusion_matrix",
    "curve_band",
    "curve_grid",
    "elbow",
    "embedding_2d",
    "embedding_3d",
    "embedding_3d_animation",
    "image_rows",
    "label_colors",
    "learning_curves",
    "printable",
    "reconstructions",
    "views",
]

"""Draw the pictures of README and the documentation from shipped models and the packaged sample.

    python scripts/draw_pictures.py

Writes mnist-dec-embedding.png and mnist-dec-reconstruction-centroids.png to weights/; the
decoder of mnist-dec has not been trained since its encoder moved on.
"""

from pathlib import Path

import kdec

FOLDER = Path(__file__).parents[1] / "weights"


def main():
    """Draw the embedding of the digits with the centroids, and what centroids decode to."""
    data, dec = kdec.load_data("mnist-5k"), kdec.load_pretrained("mnist-dec")
    embedding = dec.encoder.predict(data.flat, batch_size=1000, verbose=0)
    picture = kdec.plots.embedding_3d(embedding, data.y, dec.clusters)
    picture.figure.savefig(FOLDER / "mnist-dec-embedding.png", dpi=100)

    dec = kdec.load_pretrained("mnist-dec-reconstruction")
    clusters = dec.predict(data.flat, batch_size=1000, verbose=0).argmax(axis=1)
    label_of_cluster = kdec.metrics.match_labels(data.y, clusters)
    order = sorted(label_of_cluster, key=label_of_cluster.get)
    images = dec.decoder.predict(dec.clusters, verbose=0).reshape(-1, 28, 28)
    figure = kdec.plots.centroid_images(
        images[order], [label_of_cluster[cluster] for cluster in order], n_columns=10
    )
    figure.savefig(FOLDER / "mnist-dec-reconstruction-centroids.png", dpi=100)


if __name__ == "__main__":
    main()

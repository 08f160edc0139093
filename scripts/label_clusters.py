"""Write into weights/manifest.json which digit each cluster of a shipped model stands for.

    python scripts/label_clusters.py [NAME ...]

Clusters are matched to the digits of all images that the model was trained on, full MNIST, which
needs KDEC_DATA_DIR. The share of images that agree has to be the accuracy of the manifest.
"""

import json
import sys
from pathlib import Path

import numpy as np

import kdec

MANIFEST = Path(__file__).parents[1] / "weights" / "manifest.json"


def main(names):
    """Label the clusters of the models."""
    for name in names or json.loads(MANIFEST.read_text()):
        model = kdec.load_pretrained(name)
        if isinstance(model, kdec.Autoencoder):
            continue
        manifest = json.loads(MANIFEST.read_text())
        data = kdec.load_data(manifest[name]["data"])
        clusters = predict_clusters(model, data)
        np.testing.assert_allclose(
            kdec.metrics.accuracy(data.y, clusters), manifest[name]["metrics"]["acc"], atol=1e-3
        )
        manifest[name]["labels"] = kdec.metrics.match_labels(data.y, clusters)
        MANIFEST.write_text(json.dumps(manifest, indent=1) + "\n")


def predict_clusters(model, data):
    """Return the cluster of each image, (n,)."""
    x = data.x.reshape(-1, *model.encoder.input_shape[1:])
    if isinstance(model, kdec.KMeansLoss):
        return model.predict_clusters(x)
    return model.predict(x, batch_size=2048, verbose=0).argmax(axis=1)


if __name__ == "__main__":
    main(sys.argv[1:])

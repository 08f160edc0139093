def encoder():
    return autoencoders.dense_encoder((5, 4, 3), seed=0)

def placed_dec():
    dec = kdec.DEC(autoencoders.dense((5, 4, 3), seed=0), 3)
    dec.clustering.clusters.assign(dec.encoder(X[:3]))
    return dec

def placed_soft():
    model = kdec.DifferentiableKMeans(3)
    model.initialize(X, random_state=0)
    return model

def once(make):
    made = []
    def get():
        if not made: made.append(make())
        return made[0]
    return get

def method(make, name):
    get = once(make)
    return lambda: getattr(get(), name)

def table():
    fitted = once(lambda: kdec.KMeans(3, n_init=1, random_state=0).fit(X))
    dec = once(placed_dec); soft = once(placed_soft)
    loss = once(lambda: kdec.KMeansLoss(encoder(), 3))
    contrast = once(lambda: kdec.NeighborContrast(encoder()))
    labeling = once(lambda: kdec.SelfLabeling(encoder()))
    ae = once(lambda: autoencoders.dense((5,4,3), seed=0))
    km = lambda **o: (lambda: (lambda **kw: kdec.KMeans(**{**dict(n_clusters=3, n_init=1), **kw}).fit(X)))
    e, = (encoder(),)
    return {
    "KMeans": (km(), {}, dict(n_clusters=COUNTS+(13,), n_init=(0,-1,2.5,True,"many",None), max_iter=COUNTS, tol=(-1.0,NAN,INF,"1",None), metric=WORDS, random_state=("0",1.5,-1,[1]), verbose=("x",None,-1), init=("random++", 3, None, X[:2], X[:3,:2], np.full((3,5),NAN), np.full((3,5),"a")))),
    "KMeans.fit": (lambda: fitted().fit, dict(X=X), dict(X=tables(X)+(X[:2],), sample_weight=(np.ones(11), -np.ones(12), np.zeros(12), np.full(12,NAN), "a", np.ones((12,1))))),
    "KMeans.predict": (lambda: fitted().predict, dict(X=X), dict(X=tables(X)+(X[:,:3],))),
    "KMeans.transform": (lambda: fitted().transform, dict(X=X), dict(X=tables(X)+(X[:,:3],))),
    "KMeans.score": (lambda: fitted().score, dict(X=X), dict(X=tables(X)+(X[:,:3],), sample_weight=(np.ones(11),))),
    "ClusteringLayer": (lambda: kdec.ClusteringLayer, dict(n_clusters=3), dict(n_clusters=COUNTS, alpha=POSITIVE)),
    "DKMLayer": (lambda: kdec.DifferentiableKMeansLayer, dict(n_clusters=3), dict(n_clusters=COUNTS, temperature=(0.0,-1.0,NAN,INF,"1",[1.0]), n_runs=(0,-1,2.5,True,"3"))),
    "Autoencoder": (lambda: kdec.Autoencoder, dict(encoder=ae().encoder, decoder=ae().decoder), dict(encoder=MODELS, decoder=MODELS+(e,))),
    "DEC": (lambda: kdec.DEC, dict(autoencoder=ae(), n_clusters=3), dict(autoencoder=MODELS, n_clusters=COUNTS, alpha=POSITIVE, clustering_weight=(-1.0,NAN,INF,"1",None,0.0), reconstruction_weight=(-1.0,NAN,INF,"1",None), views=(3,"x",lambda x: x))),
    "DEC.initialize": (lambda: dec().initialize, dict(x=X), dict(x=tables(X)+(X[:2],X[:,:3],np.ones((12,5))), n_init=COUNTS, batch_size=COUNTS, random_state=("0",1.5,-1,[1]))),
    "DEC.fit": (lambda: dec().fit, dict(x=X, max_steps=1, verbose=0), dict(x=tables(X)+(X[:,:3],), y=labels(Y), batch_size=COUNTS, max_steps=COUNTS, update_interval=COUNTS, tol=("1",None,NAN,[1.0]), callbacks=(3,"x",[3]), initial_epoch=(-1,1.5,"0",None,True), verbose=("x",7,None), shuffle=("x",None,3))),
    "DEC.predict": (lambda: dec().predict, dict(x=X, verbose=0), dict(x=tables(X)+(X[:,:3],), batch_size=(0,-1,2.5,"3"))),
    "KMeansLoss": (lambda: kdec.KMeansLoss, dict(encoder=e, n_clusters=3), dict(encoder=MODELS, n_clusters=COUNTS+(1,), decoder=("x",3,e), reconstruction_weight=(-1.0,NAN,INF,"1",None,1.0), max_iterations=COUNTS)),
    "KMeansLoss.fit": (lambda: loss().fit, dict(x=X, verbose=0), dict(x=tables(X)+(X[:,:3],X[:2]), batch_size=(0,-1,2.5,"3",2), epochs=(0,-1,1.5,"2",None))),
    "KMeansLoss.predict_clusters": (lambda: loss().predict_clusters, dict(x=X), dict(x=tables(X)+(X[:,:3],), batch_size=COUNTS)),
    "DKM": (lambda: kdec.DifferentiableKMeans, dict(n_clusters=3), dict(n_clusters=COUNTS, encoder=MODELS[1:], temperature=(0.0,-1.0,NAN,INF,"1",[1.0]), n_runs=(0,-1,2.5,True,"3"))),
    "DKM.initialize": (lambda: soft().initialize, dict(x=X), dict(x=tables(X)+(X[:2],), batch_size=COUNTS, random_state=("0",1.5,-1,[1]))),
    "DKM.fit": (lambda: soft().fit, dict(x=X, verbose=0), dict(x=tables(X)+(X[:,:3],), batch_size=(0,-1,2.5,"3"), epochs=(0,-1,1.5,"2",None))),
    "DKM.predict": (lambda: soft().predict, dict(x=X, verbose=0), dict(x=tables(X)+(X[:,:3],))),
    "NeighborContrast": (lambda: kdec.NeighborContrast, dict(encoder=e), dict(encoder=MODELS, views=(3,"x"), temperature=POSITIVE, seed=SEEDS+(None,))),
    "NeighborContrast.fit": (lambda: contrast().fit, dict(x=X, neighbors=2, epochs=1, verbose=0), dict(x=tables(X)+(X[:,:3],X[:1]), neighbors=(-1,2.5,True,"3",None,12,ROWS[:5],ROWS+1,ROWS*1.0,ROWS[:,:0],-ROWS), pairs=(ROWS[:,:1],ROWS+1,-ROWS,ROWS*1.0,3,ROWS[:1],"x"), batch_size=COUNTS+(1,), epochs=COUNTS, callbacks=(3,"x",[3]), initial_epoch=(-1,1.5,"0",None,True))),
    "SelfLabeling": (lambda: kdec.SelfLabeling, dict(classifier=e), dict(classifier=MODELS+(autoencoders.dense_encoder((5,4,1)),), views=(3,"x"), label_smoothing=SHARES+(1.0,), n_views=COUNTS, seed=SEEDS+(None,))),
    "SelfLabeling.fit": (lambda: labeling().fit, dict(x=X, labels=Y, rounds=1, passes=1, verbose=0), dict(x=tables(X)+(X[:,:3],), labels=labels(Y)+(Y*0, Y-1, Y+1, Q*NAN, Q[:5], None), y=labels(Y), rounds=COUNTS, passes=COUNTS, batch_size=COUNTS, keep=(0.0,)+SHARES+(0.5,), groups=(Y[:5], Y*1.0, "x"), confidences=(np.ones(5), np.full(12,NAN), "x"), callbacks=(3,"x",[3]), initial_epoch=(-1,1.5,"0",None,True))),
    "Autoencoder.fit": (lambda: ae().fit, dict(x=X, verbose=0), dict(x=tables(X)+(X[:,:3],))),
    "Autoencoder.save_weights": (lambda: ae().save_weights, dict(filepath="a.h5"), dict(filepath=("a.txt", 3, None))),
    "Autoencoder.save": (lambda: ae().save, dict(filepath="a.keras"), dict(filepath=("a.h5", 3, None))),
    "Autoencoder.load_weights": (lambda: ae().load_weights, dict(filepath="a.h5"), dict(filepath=("none.h5", 3, None))),
    "dense": (lambda: autoencoders.dense, dict(dims=(5,3)), dict(dims=((5,),(),(5,0),(5,2.5),5,"53",None,(5,-1)), activation=("no such",3), output_activation=("no such",), seed=SEEDS)),
    "sigmoid": (lambda: autoencoders.sigmoid, dict(dims=(5,3)), dict(dims=((5,),(5,0),5), seed=SEEDS)),
    "dense_encoder": (lambda: autoencoders.dense_encoder, dict(dims=(5,3)), dict(dims=((5,),(5,0),5,None), dropout=(-0.1,1.0,NAN,"x",None), dtype=("no such",), seed=SEEDS)),
    "conv": (lambda: autoencoders.conv, dict(image_shape=(8,8,1), filters=(2,2,2)), dict(image_shape=((8,8),(0,8,1),8,None,"x",(8.0,8,1),(2,2,1)), filters=((),(2,0),3,None,(2.5,)), embedding_units=COUNTS, seed=SEEDS)),
    "conv_encoder": (lambda: autoencoders.conv_encoder, dict(image_shape=(20,20,1)), dict(image_shape=((8,8),(0,8,1),8,None), embedding_units=COUNTS, dropout=(-0.1,1.0,NAN,"x"), seed=SEEDS)),
    "conv_pooling": (lambda: autoencoders.conv_pooling, dict(image_shape=(16,16,1)), dict(image_shape=((8,8,1),(18,18,1),None), embedding_units=COUNTS, seed=SEEDS)),
    "conv_upsampling": (lambda: autoencoders.conv_upsampling, dict(image_shape=(16,16,1)), dict(image_shape=((1,1,1),None), filters=((),(2,2.5),None), embedding_units=COUNTS, seed=SEEDS)),
    "ShuffledBatches": (lambda: models.ShuffledBatches, dict(x=X, batch_size=4), dict(x=(None, X[:0], 3, (X, X[:5])), batch_size=COUNTS, seed=SEEDS)),
    "TemperatureDecay": (lambda: models.TemperatureDecay, dict(initial=2.0, final=1.0, n_epochs=3), dict(initial=POSITIVE, final=POSITIVE, n_epochs=COUNTS)),
    "AtomicBackup": (lambda: models.AtomicBackup, dict(backup_dir="b"), dict(backup_dir=(3, None, ""))),
    "target_distribution": (lambda: kdec.target_distribution, dict(q=Q), dict(q=(Q[0], Q[None], "x", Q*NAN, -Q, Q.astype(str), Q+1j, None, [[1.0],[1.0,2.0]]))),
    "diffuse_labels": (lambda: kdec.diffuse_labels, dict(codes=X, assignments=Y, n_neighbors=2, n_passes=1), dict(codes=tables(X), assignments=(Y[:5], Y*1.0, Q[:5], Q*NAN, -Q, Y-1, None, "x"), n_neighbors=COUNTS+(12,), n_passes=(-1,2.5,True,"3",None), verbose=("x",None,7))),
    "nearest_neighbors": (lambda: kdec.nearest_neighbors, dict(x=X, n_neighbors=2), dict(x=tables(X), n_neighbors=COUNTS+(12,), n_components=COUNTS, verbose=("x",None,7))),
    **{name: (lambda name=name: getattr(metrics, name), dict(y_true=Y, y_pred=Y), dict(y_true=labels(Y)+("x",None), y_pred=labels(Y)+("x",None))) for name in ("accuracy","nmi","ari","purity","contingency_matrix","match_labels")},
    "purity average": (lambda: metrics.purity, dict(y_true=Y, y_pred=Y), dict(average=("weighted",3,True))),
    "centroid_images": (lambda: plots.centroid_images, dict(images=IMAGES), dict(images=arrays(IMAGES)[2:], titles=(["a"],3), n_columns=(0,-1,2.5,"3",True), image_shape=((5,5),(0,6),6,"x"), value_range=((1,0),(0,),(NAN,1),"ab",3))),
    "clusters_2d": (lambda: plots.clusters_2d, dict(x=X[:,:2]), dict(x=tables(X[:,:2])+(X,), labels=labels(Y), centroids=(X[:3],np.ones(2),"x"), paths=(X[:3,:2],"x",np.ones((2,3,5))), ax=(3,"x"))),
    "confusion_matrix": (lambda: plots.confusion_matrix, dict(y_true=Y, y_pred=Y), dict(y_true=labels(Y), y_pred=labels(Y), ax=(3,"x"))),
    "curve_band": (lambda: plots.curve_band, dict(runs=X), dict(runs=(X[0],X[None],X[:0],"x",None,X.astype(str)), steps=(np.arange(3),"x"), ax=(3,"x"))),
    "curve_grid": (lambda: plots.curve_grid, dict(curves=CURVE), dict(curves=({},None,3,"x",{"a":[]},{"a":"x"},{"a":[[1.0]]}), steps=(np.arange(2),), references=({"other":1.0},3,{"loss":"x"}), n_columns=(0,-1,2.5,"3"))),
    "elbow": (lambda: plots.elbow, dict(n_clusters=[1,2,3], inertias=[3.0,2.0,1.0]), dict(n_clusters=([1,2],[],None,"x",[0,1,2],[1.5,2,3]), inertias=([1.0],[],"x",None,["a"]*3), silhouettes=([1.0],"x"), ax=(3,"x"))),
    "embedding_2d": (lambda: plots.embedding_2d, dict(z=X, perplexity=2.0), dict(z=tables(X)+(X[:2],), y=labels(Y), max_samples=COUNTS, perplexity=POSITIVE, random_state=("0",1.5,-1), ax=(3,"x"))),
    "embedding_3d": (lambda: plots.embedding_3d, dict(z=X[:,:3]), dict(z=tables(X[:,:3])+(X[:,:1],), y=labels(Y), centroids=(np.ones((2,2)),"x",np.ones(3)), elevation=("x",NAN,None), azimuth=("x",NAN,None), ax=(3,"x"))),
    "embedding_3d_animation": (lambda: plots.embedding_3d_animation, dict(z=X[:,:3], path="a.gif", n_frames=2), dict(z=tables(X[:,:3])[:3], path=("a.txt",3,None,"no/such/a.gif"), n_frames=COUNTS, frames_per_second=COUNTS, dpi=COUNTS)),
    "image_rows": (lambda: plots.image_rows, dict(rows={"a": IMAGES}), dict(rows=({},None,3,{"a": IMAGES[:0]},{"a": IMAGES,"b": IMAGES[:2]},{"a":"x"}), titles=(["a"],3))),
    "learning_curves": (lambda: plots.learning_curves, dict(history=CURVE), dict(history=({},None,3,"x",{"a":[]},{"a":"x"}), steps=(np.arange(2),"x"), keys=(["acc"],[],3))),
    "reconstructions": (lambda: plots.reconstructions, dict(x=IMAGES, x_hat=IMAGES), dict(x=(IMAGES[:2],None,"x",IMAGES[:0],3), x_hat=(IMAGES[:2],IMAGES[:,:3],None), n=COUNTS)),
    "plots.views": (lambda: plots.views, dict(images=IMAGES, layer=views.RandomNoise(0.1)), dict(images=(None,"x",IMAGES[:0]), layer=(3,None,"x"), n_views=COUNTS)),
    "FeatureDropout": (lambda: views.FeatureDropout, {}, dict(rate=SHARES+(1.0,), seed=SEEDS)),
    "RandomAffine": (lambda: views.RandomAffine, {}, dict(rotation=(-1.0,NAN,INF,"x",None), scale=((1.2,0.8),(0.0,1.0),1.0,(1.0,),"ab",None,(NAN,1.0)), shear=(-1.0,NAN,"x",None), shift=(-1.0,NAN,"x",None), flip=("x",3,None), fill_value=(NAN,"x",None), seed=SEEDS)),
    "RandomNoise": (lambda: views.RandomNoise, {}, dict(stddev=(-1.0,NAN,INF,"x",None), seed=SEEDS)),
    "load_data": (lambda: kdec.load_data, {}, dict(name=("MNIST",3,None,""), seed=SEEDS+(None,))),
    "load_pretrained": (lambda: kdec.load_pretrained, {}, dict(name=("no such",3,None,""))),
    "weights_file": (lambda: pretrained.weights_file, dict(name=pretrained.available()[0]["name"]), dict(name=("no such",3,None), format=("pt",3,None))),
    "read": (lambda: data.read, dict(path=X), dict(path=("none.csv",3,None,X.astype(complex),X[:0],"none/",X[0,0]), labels=("no such",Y[:5],3), missing=("no such",3), size=(0,-1,(0,3),"x"), color=("x",3), seed=SEEDS)),
    "Dataset": (lambda: data.Dataset, dict(name="a", x=X, y=Y, sha256="0"), dict(x=(None,"x"), y=(Y[:5],))),
    "require_tensorflow": (lambda: models.require_tensorflow, dict(what="x"), {}),
    }

"""The types that a stored model may be made of: our own list, written down, never the file's.

A skops file is a tree of nodes; each names a type and the loader that builds it. A loader may do more with a type than
another (one calls it, one only fills its attributes), so the list says for each loader which names it may meet, and a
function is never handed to a loader that would call it. Everything here was chosen because building it from untrusted
values runs no code of the file: scikit-learn's own estimators and the parts they hold once fitted, NumPy arrays and
scalars, SciPy's sparse matrices. What is missing on purpose:

- `sklearn.cluster.Birch`, which skops cannot store, and the `PyFuncDistance` metrics, which hold any function;
- bound methods, `operator.methodcaller` and its kin, which reach for attributes by name;
- constructors with stored arguments (`ConstructorFromReduceNode`), which would call a type with what the file says;
- file-backed arrays and anything that opens a file, a socket or a process.

Trees, tree predictors, k-d trees and ball trees hold raw indices that scikit-learn follows without checking them. They
are here because half of all models need them; `_formats.py` compares the file's digest first and `_trees.py` checks the
indices of decision trees.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

__all__ = ["TRUSTED"]


def _names(listing: str) -> Iterator[str]:
    """The dotted names in lines of `module: Name Name`, where a deeper line goes on with the names."""
    module = ""
    for line in listing.splitlines():
        head, colon, rest = line.rpartition(":")
        if colon:
            module = head.strip()
        yield from (f"{module}.{name}" for name in rest.split())


_OBJECTS = frozenset(
    _names("""
scipy.interpolate._bsplines: BSpline
sklearn._loss.link: HalfLogitLink IdentityLink Interval LogLink LogitLink MultinomialLogit
sklearn._loss.loss: AbsoluteError ExponentialLoss HalfBinomialLoss HalfGammaLoss HalfMultinomialLoss
    HalfPoissonLoss HalfSquaredError HalfTweedieLoss HalfTweedieLossIdentity HuberLoss PinballLoss
sklearn.calibration: CalibratedClassifierCV _CalibratedClassifier _SigmoidCalibration _TemperatureScaling
sklearn.cluster._affinity_propagation: AffinityPropagation
sklearn.cluster._agglomerative: AgglomerativeClustering FeatureAgglomeration
sklearn.cluster._bicluster: SpectralBiclustering SpectralCoclustering
sklearn.cluster._bisect_k_means: BisectingKMeans _BisectingTree
sklearn.cluster._dbscan: DBSCAN
sklearn.cluster._hdbscan.hdbscan: HDBSCAN
sklearn.cluster._kmeans: KMeans MiniBatchKMeans
sklearn.cluster._mean_shift: MeanShift
sklearn.cluster._optics: OPTICS
sklearn.cluster._spectral: SpectralClustering
sklearn.compose._column_transformer: ColumnTransformer make_column_selector
sklearn.compose._target: TransformedTargetRegressor
sklearn.covariance._elliptic_envelope: EllipticEnvelope
sklearn.covariance._empirical_covariance: EmpiricalCovariance
sklearn.covariance._graph_lasso: GraphicalLasso GraphicalLassoCV
sklearn.covariance._robust_covariance: MinCovDet
sklearn.covariance._shrunk_covariance: LedoitWolf OAS ShrunkCovariance
sklearn.cross_decomposition._pls: CCA PLSCanonical PLSRegression PLSSVD
sklearn.decomposition._dict_learning: DictionaryLearning MiniBatchDictionaryLearning SparseCoder
sklearn.decomposition._factor_analysis: FactorAnalysis
sklearn.decomposition._fastica: FastICA
sklearn.decomposition._incremental_pca: IncrementalPCA
sklearn.decomposition._kernel_pca: KernelPCA
sklearn.decomposition._lda: LatentDirichletAllocation
sklearn.decomposition._nmf: MiniBatchNMF NMF
sklearn.decomposition._pca: PCA
sklearn.decomposition._sparse_pca: MiniBatchSparsePCA SparsePCA
sklearn.decomposition._truncated_svd: TruncatedSVD
sklearn.discriminant_analysis: LinearDiscriminantAnalysis QuadraticDiscriminantAnalysis
sklearn.dummy: DummyClassifier DummyRegressor
sklearn.ensemble._bagging: BaggingClassifier BaggingRegressor
sklearn.ensemble._forest: ExtraTreesClassifier ExtraTreesRegressor RandomForestClassifier RandomForestRegressor
    RandomTreesEmbedding
sklearn.ensemble._gb: GradientBoostingClassifier GradientBoostingRegressor VerboseReporter
sklearn.ensemble._hist_gradient_boosting.binning: _BinMapper
sklearn.ensemble._hist_gradient_boosting.gradient_boosting: HistGradientBoostingClassifier
    HistGradientBoostingRegressor
sklearn.ensemble._hist_gradient_boosting.predictor: TreePredictor
sklearn.ensemble._iforest: IsolationForest
sklearn.ensemble._stacking: StackingClassifier StackingRegressor
sklearn.ensemble._voting: VotingClassifier VotingRegressor
sklearn.ensemble._weight_boosting: AdaBoostClassifier AdaBoostRegressor
sklearn.feature_extraction._dict_vectorizer: DictVectorizer
sklearn.feature_extraction._hash: FeatureHasher
sklearn.feature_extraction.image: PatchExtractor
sklearn.feature_extraction.text: CountVectorizer HashingVectorizer TfidfTransformer TfidfVectorizer
sklearn.feature_selection._from_model: SelectFromModel
sklearn.feature_selection._rfe: RFE RFECV
sklearn.feature_selection._sequential: SequentialFeatureSelector
sklearn.feature_selection._univariate_selection: GenericUnivariateSelect SelectFdr SelectFpr SelectFwe SelectKBest
    SelectPercentile
sklearn.feature_selection._variance_threshold: VarianceThreshold
sklearn.frozen._frozen: FrozenEstimator
sklearn.gaussian_process._gpc: GaussianProcessClassifier _BinaryGaussianProcessClassifierLaplace
sklearn.gaussian_process._gpr: GaussianProcessRegressor
sklearn.gaussian_process.kernels: CompoundKernel ConstantKernel DotProduct ExpSineSquared Exponentiation
    Hyperparameter Matern PairwiseKernel Product RBF RationalQuadratic Sum WhiteKernel
sklearn.impute._base: MissingIndicator SimpleImputer
sklearn.impute._iterative: IterativeImputer
sklearn.impute._knn: KNNImputer
sklearn.isotonic: IsotonicRegression
sklearn.kernel_approximation: AdditiveChi2Sampler Nystroem PolynomialCountSketch RBFSampler SkewedChi2Sampler
sklearn.kernel_ridge: KernelRidge
sklearn.linear_model._base: LinearRegression
sklearn.linear_model._bayes: ARDRegression BayesianRidge
sklearn.linear_model._coordinate_descent: ElasticNet ElasticNetCV Lasso LassoCV MultiTaskElasticNet
    MultiTaskElasticNetCV MultiTaskLasso MultiTaskLassoCV
sklearn.linear_model._glm.glm: GammaRegressor PoissonRegressor TweedieRegressor
sklearn.linear_model._huber: HuberRegressor
sklearn.linear_model._least_angle: Lars LarsCV LassoLars LassoLarsCV LassoLarsIC
sklearn.linear_model._logistic: LogisticRegression LogisticRegressionCV
sklearn.linear_model._omp: OrthogonalMatchingPursuit OrthogonalMatchingPursuitCV
sklearn.linear_model._passive_aggressive: PassiveAggressiveClassifier PassiveAggressiveRegressor
sklearn.linear_model._perceptron: Perceptron
sklearn.linear_model._quantile: QuantileRegressor
sklearn.linear_model._ransac: RANSACRegressor
sklearn.linear_model._ridge: Ridge RidgeCV RidgeClassifier RidgeClassifierCV
sklearn.linear_model._stochastic_gradient: SGDClassifier SGDOneClassSVM SGDRegressor
sklearn.linear_model._theil_sen: TheilSenRegressor
sklearn.manifold._classical_mds: ClassicalMDS
sklearn.manifold._isomap: Isomap
sklearn.manifold._locally_linear: LocallyLinearEmbedding
sklearn.manifold._mds: MDS
sklearn.manifold._spectral_embedding: SpectralEmbedding
sklearn.manifold._t_sne: TSNE
sklearn.metrics._dist_metrics: BrayCurtisDistance32 BrayCurtisDistance64 CanberraDistance32 CanberraDistance64
    ChebyshevDistance32 ChebyshevDistance64 DiceDistance32 DiceDistance64 EuclideanDistance32 EuclideanDistance64
    HammingDistance32 HammingDistance64 HaversineDistance32 HaversineDistance64 JaccardDistance32
    JaccardDistance64 MahalanobisDistance32 MahalanobisDistance64 ManhattanDistance32 ManhattanDistance64
    MinkowskiDistance32 MinkowskiDistance64 RogersTanimotoDistance32 RogersTanimotoDistance64 RussellRaoDistance32
    RussellRaoDistance64 SEuclideanDistance32 SEuclideanDistance64 SokalSneathDistance32 SokalSneathDistance64
sklearn.metrics._scorer: _CurveScorer _MultimetricScorer _PassthroughScorer _Scorer
sklearn.mixture._bayesian_mixture: BayesianGaussianMixture
sklearn.mixture._gaussian_mixture: GaussianMixture
sklearn.model_selection._classification_threshold: FixedThresholdClassifier TunedThresholdClassifierCV
sklearn.model_selection._search: GridSearchCV RandomizedSearchCV
sklearn.model_selection._search_successive_halving: HalvingGridSearchCV HalvingRandomSearchCV
sklearn.model_selection._split: GroupKFold GroupShuffleSplit KFold LeaveOneGroupOut LeaveOneOut LeavePGroupsOut
    LeavePOut PredefinedSplit RepeatedKFold RepeatedStratifiedKFold ShuffleSplit StratifiedGroupKFold
    StratifiedKFold StratifiedShuffleSplit TimeSeriesSplit _CVIterableWrapper
sklearn.multiclass: OneVsOneClassifier OneVsRestClassifier OutputCodeClassifier _ConstantPredictor
sklearn.multioutput: ClassifierChain MultiOutputClassifier MultiOutputRegressor RegressorChain
sklearn.naive_bayes: BernoulliNB CategoricalNB ComplementNB GaussianNB MultinomialNB
sklearn.neighbors._ball_tree: BallTree BallTree32 BallTree64
sklearn.neighbors._classification: KNeighborsClassifier RadiusNeighborsClassifier
sklearn.neighbors._graph: KNeighborsTransformer RadiusNeighborsTransformer
sklearn.neighbors._kd_tree: KDTree KDTree32 KDTree64
sklearn.neighbors._kde: KernelDensity
sklearn.neighbors._lof: LocalOutlierFactor
sklearn.neighbors._nca: NeighborhoodComponentsAnalysis
sklearn.neighbors._nearest_centroid: NearestCentroid
sklearn.neighbors._regression: KNeighborsRegressor RadiusNeighborsRegressor
sklearn.neighbors._unsupervised: NearestNeighbors
sklearn.neural_network._multilayer_perceptron: MLPClassifier MLPRegressor
sklearn.neural_network._rbm: BernoulliRBM
sklearn.neural_network._stochastic_optimizers: AdamOptimizer SGDOptimizer
sklearn.pipeline: FeatureUnion Pipeline
sklearn.preprocessing._data: Binarizer KernelCenterer MaxAbsScaler MinMaxScaler Normalizer PowerTransformer
    QuantileTransformer RobustScaler StandardScaler
sklearn.preprocessing._discretization: KBinsDiscretizer
sklearn.preprocessing._encoders: OneHotEncoder OrdinalEncoder
sklearn.preprocessing._function_transformer: FunctionTransformer
sklearn.preprocessing._label: LabelBinarizer LabelEncoder MultiLabelBinarizer
sklearn.preprocessing._polynomial: PolynomialFeatures SplineTransformer
sklearn.preprocessing._target_encoder: TargetEncoder
sklearn.random_projection: GaussianRandomProjection SparseRandomProjection
sklearn.semi_supervised._label_propagation: LabelPropagation LabelSpreading
sklearn.semi_supervised._self_training: SelfTrainingClassifier
sklearn.svm._classes: LinearSVC LinearSVR NuSVC NuSVR OneClassSVM SVC SVR
sklearn.tree._classes: DecisionTreeClassifier DecisionTreeRegressor ExtraTreeClassifier ExtraTreeRegressor
sklearn.utils._metadata_requests: MetadataRequest MethodMetadataRequest
""")
)
"""Estimators and their parts: made empty, then given their attributes."""

_FUNCTIONS = frozenset(
    _names("""
numpy: absolute arccos arcsin arctan arctanh cbrt ceil clip cos cosh degrees exp exp2 expm1 fabs floor
    isfinite isinf isnan log log10 log1p log2 max maximum mean median min minimum nan_to_num nanmax nanmean nanmedian
    nanmin nansum negative power radians reciprocal rint round sign sin sinh sqrt square sum tan tanh trunc
scipy._lib.array_api_compat.numpy._aliases: asarray
scipy.special._ufuncs: expit logit
sklearn.cluster._kmeans: _kmeans_single_elkan _kmeans_single_lloyd
sklearn.feature_selection._mutual_info: mutual_info_classif mutual_info_regression
sklearn.feature_selection._univariate_selection: chi2 f_classif f_oneway f_regression r_regression
sklearn.metrics._classification: accuracy_score balanced_accuracy_score brier_score_loss cohen_kappa_score
    d2_brier_score d2_log_loss_score f1_score fbeta_score jaccard_score log_loss matthews_corrcoef precision_score
    recall_score zero_one_loss
sklearn.metrics._ranking: average_precision_score ndcg_score roc_auc_score top_k_accuracy_score
sklearn.metrics._regression: d2_absolute_error_score explained_variance_score max_error mean_absolute_error
    mean_absolute_percentage_error mean_gamma_deviance mean_pinball_loss mean_poisson_deviance mean_squared_error
    mean_squared_log_error median_absolute_error r2_score root_mean_squared_error root_mean_squared_log_error
sklearn.metrics._scorer: negative_likelihood_ratio positive_likelihood_ratio
sklearn.metrics.cluster._supervised: adjusted_mutual_info_score adjusted_rand_score completeness_score
    fowlkes_mallows_score homogeneity_score mutual_info_score normalized_mutual_info_score rand_score v_measure_score
sklearn.utils.validation: check_array
sklearn.metrics.pairwise: cosine_similarity euclidean_distances laplacian_kernel linear_kernel polynomial_kernel
    rbf_kernel sigmoid_kernel
""")
)
"""Functions that compute on arrays and touch nothing else: what a `FunctionTransformer` or a score may name."""

_NUMBERS = frozenset(
    _names("""
numpy: bool bool_ bytes_ complex128 complex64 datetime64 float16 float32 float64 int16 int32 int64 int8 intc intp
    longlong str_ timedelta64 uint16 uint32 uint64 uint8 uintc uintp ulonglong
""")
)

_KINDS = frozenset({"numpy.floating", "numpy.generic", "numpy.integer", "numpy.number", "numpy.object_"})

_LOSSES = frozenset(
    _names("""
sklearn._loss._loss: CyAbsoluteError CyExponentialLoss CyHalfBinomialLoss CyHalfGammaLoss CyHalfMultinomialLoss
    CyHalfPoissonLoss CyHalfSquaredError CyHalfTweedieLoss CyHalfTweedieLossIdentity CyHuberLoss CyPinballLoss
sklearn.linear_model._sgd_fast: EpsilonInsensitive Hinge ModifiedHuber SquaredEpsilonInsensitive SquaredHinge
""")
)

_SPARSE = frozenset(
    f"scipy.sparse._{kind}.{kind}_{form}"
    for kind in ("bsr", "coo", "csc", "csr", "dia")
    for form in ("array", "matrix")
)

_OWN = frozenset(
    f"groundswell.estimators.{name}"
    for name in (
        "_categorical_nb.CategoricalNB",
        "_column_transformer.ColumnTransformer",
        "_cross_validated.ElasticNetCV",
        "_cross_validated.LassoCV",
        "_cross_validated.RidgeCV",
        "_decision_tree.DecisionTreeClassifier",
        "_decision_tree.DecisionTreeRegressor",
        "_discriminant_analysis.LinearDiscriminantAnalysis",
        "_discriminant_analysis.QuadraticDiscriminantAnalysis",
        "_discretizers.Bucketizer",
        "_discretizers.KBinsDiscretizer",
        "_elastic_net.ElasticNet",
        "_elastic_net.Lasso",
        "_external_boosting.LGBMClassifier",
        "_external_boosting.LGBMRegressor",
        "_external_boosting.XGBClassifier",
        "_external_boosting.XGBRegressor",
        "_feature_hasher.FeatureHasher",
        "_gaussian_mixture.GaussianMixture",
        "_gaussian_nb.GaussianNB",
        "_generalized_linear_model.GeneralizedLinearModel",
        "_gradient_boosting.GradientBoostingClassifier",
        "_gradient_boosting.GradientBoostingRegressor",
        "_kmeans.KMeans",
        "_linear_regression.LinearRegression",
        "_linear_svc.LinearSVC",
        "_log_transformer.LogTransformer",
        "_logistic_regression.LogisticRegression",
        "_multinomial_nb.BernoulliNB",
        "_multinomial_nb.MultinomialNB",
        "_one_hot_encoder.OneHotEncoder",
        "_ordinal_encoder.OrdinalEncoder",
        "_pca.PCA",
        "_polynomial_features.PolynomialFeatures",
        "_random_forest.RandomForestClassifier",
        "_random_forest.RandomForestRegressor",
        "_ridge.Ridge",
        "_robust_scaler.RobustScaler",
        "_scalers.MaxAbsScaler",
        "_scalers.MinMaxScaler",
        "_scalers.StandardScaler",
        "_simple_imputer.SimpleImputer",
        "_stochastic_gradient.SGDClassifier",
        "_stochastic_gradient.SGDRegressor",
        "_text.CountVectorizer",
        "_text.HashingVectorizer",
        "_tfidf.TfidfTransformer",
        "_tfidf.TfidfVectorizer",
        "_tokens.NGram",
        "_tokens.RegexTokenizer",
        "_tokens.StopWordsRemover",
    )
)
"""Our own estimators, whose attributes are arrays and plain values."""

TRUSTED: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "DictNode": frozenset({"builtins.dict", "collections.OrderedDict", "sklearn.utils._bunch.Bunch"}),
        "DTypeNode": frozenset({"numpy.dtype"}),
        "FunctionNode": _FUNCTIONS,
        "JsonNode": frozenset({"builtins.str"}),
        "ListNode": frozenset({"builtins.list"}),
        "LossNode": _LOSSES,
        "MaskedArrayNode": frozenset({"numpy.ma.MaskedArray"}),
        "NdArrayNode": _NUMBERS | {"numpy.ndarray"},
        "ObjectNode": _OBJECTS | _OWN | {"groundswell.features.fitting._transformations.Transformations"},
        "PartialNode": frozenset({"functools.partial"}),
        "RandomGeneratorNode": frozenset({"numpy.random._generator.Generator"}),
        "RandomStateNode": frozenset({"numpy.random.mtrand.RandomState"}),
        "SetNode": frozenset({"builtins.set"}),
        "SliceNode": frozenset({"builtins.slice"}),
        "SparseMatrixNode": _SPARSE,
        "TreeNode": frozenset({"sklearn.tree._tree.Tree"}),
        "TupleNode": frozenset({"builtins.tuple", "sklearn.impute._iterative._ImputerTriplet"}),
        "TypeNode": _NUMBERS
        | _KINDS
        | {"builtins.bool", "builtins.float", "builtins.int", "builtins.object", "builtins.str"},
    }
)
"""For each skops loader, the dotted names that it may build."""

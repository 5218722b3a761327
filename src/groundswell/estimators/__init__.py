"""Estimators with scikit-learn's interface that learn from sums: in memory, out of core, to the same answer.

`fit` takes arrays and data frames as scikit-learn does, and also a Parquet path, an Arrow table or stream, or training
data, which are read in parts. Fitting is a fold of statistics, so nothing is held that grows with the rows.
"""

from groundswell.estimators._categorical_nb import CategoricalNB
from groundswell.estimators._column_transformer import ColumnTransformer
from groundswell.estimators._cross_validated import ElasticNetCV, LassoCV, RidgeCV
from groundswell.estimators._decision_tree import DecisionTreeClassifier, DecisionTreeRegressor
from groundswell.estimators._discretizers import Bucketizer, KBinsDiscretizer
from groundswell.estimators._discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from groundswell.estimators._elastic_net import ElasticNet, Lasso, RegularizationPath, enet_path
from groundswell.estimators._external_boosting import LGBMClassifier, LGBMRegressor, XGBClassifier, XGBRegressor
from groundswell.estimators._feature_hasher import FeatureHasher
from groundswell.estimators._gaussian_mixture import GaussianMixture
from groundswell.estimators._gaussian_nb import GaussianNB
from groundswell.estimators._generalized_linear_model import GeneralizedLinearModel
from groundswell.estimators._gradient_boosting import GradientBoostingClassifier, GradientBoostingRegressor
from groundswell.estimators._kmeans import KMeans
from groundswell.estimators._linear_regression import LinearRegression
from groundswell.estimators._linear_svc import LinearSVC
from groundswell.estimators._log_transformer import LogTransformer
from groundswell.estimators._logistic_regression import LogisticRegression
from groundswell.estimators._multinomial_nb import BernoulliNB, MultinomialNB
from groundswell.estimators._one_hot_encoder import OneHotEncoder
from groundswell.estimators._ordinal_encoder import OrdinalEncoder
from groundswell.estimators._pca import PCA
from groundswell.estimators._polynomial_features import PolynomialFeatures
from groundswell.estimators._random_forest import RandomForestClassifier, RandomForestRegressor
from groundswell.estimators._ridge import Ridge
from groundswell.estimators._robust_scaler import RobustScaler
from groundswell.estimators._scalers import MaxAbsScaler, MinMaxScaler, StandardScaler
from groundswell.estimators._simple_imputer import SimpleImputer
from groundswell.estimators._stochastic_gradient import SGDClassifier, SGDRegressor
from groundswell.estimators._summary import CoefficientTable, GeneralizedLinearSummary, LinearSummary
from groundswell.estimators._text import CountVectorizer, HashingVectorizer
from groundswell.estimators._tfidf import TfidfTransformer, TfidfVectorizer
from groundswell.estimators._tokens import NGram, RegexTokenizer, StopWordsRemover

__all__ = [
    "PCA",
    "BernoulliNB",
    "Bucketizer",
    "CategoricalNB",
    "CoefficientTable",
    "ColumnTransformer",
    "CountVectorizer",
    "DecisionTreeClassifier",
    "DecisionTreeRegressor",
    "ElasticNet",
    "ElasticNetCV",
    "FeatureHasher",
    "GaussianMixture",
    "GaussianNB",
    "GeneralizedLinearModel",
    "GeneralizedLinearSummary",
    "GradientBoostingClassifier",
    "GradientBoostingRegressor",
    "HashingVectorizer",
    "KBinsDiscretizer",
    "KMeans",
    "LGBMClassifier",
    "LGBMRegressor",
    "Lasso",
    "LassoCV",
    "LinearDiscriminantAnalysis",
    "LinearRegression",
    "LinearSVC",
    "LinearSummary",
    "LogTransformer",
    "LogisticRegression",
    "MaxAbsScaler",
    "MinMaxScaler",
    "MultinomialNB",
    "NGram",
    "OneHotEncoder",
    "OrdinalEncoder",
    "PolynomialFeatures",
    "QuadraticDiscriminantAnalysis",
    "RandomForestClassifier",
    "RandomForestRegressor",
    "RegexTokenizer",
    "RegularizationPath",
    "Ridge",
    "RidgeCV",
    "RobustScaler",
    "SGDClassifier",
    "SGDRegressor",
    "SimpleImputer",
    "StandardScaler",
    "StopWordsRemover",
    "TfidfTransformer",
    "TfidfVectorizer",
    "XGBClassifier",
    "XGBRegressor",
    "enet_path",
]

"""Files that somebody made on purpose: right digest, wrong content."""

import copy
import hashlib
import io
import json
import random
import warnings
import zipfile

import numpy as np
import pytest
from scipy import sparse
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeClassifier

from groundswell.errors import CorruptionError, UntrustedTypeError
from groundswell.models import ModelFile, load_model, save_model

_X = np.random.default_rng(0).normal(size=(60, 3))
_Y = _X[:, 0] > 0
_REFUSED = (CorruptionError, UntrustedTypeError)


def _content(stored):
    with zipfile.ZipFile(stored.path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _zipped(members, compression=zipfile.ZIP_STORED):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", compression) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile warns of a name that is there twice
        for name, data in members:
            archive.writestr(name, data)
    return target.getvalue()


def _forged(tmp_path, data):
    path = tmp_path / "forged.skops"
    path.write_bytes(data)
    return ModelFile(path=path, digest=hashlib.sha256(data).hexdigest(), size_bytes=len(data), model_type="x")


def _with_tree(tmp_path, stored, edit):
    members = _content(stored)
    tree = json.loads(members["schema.json"])
    edited = edit(tree)
    tree = edited if isinstance(edited, (dict, list)) else tree
    members["schema.json"] = json.dumps(tree).encode()
    return _forged(tmp_path, _zipped(members.items()))


@pytest.fixture
def transformer(tmp_path):
    return save_model(FunctionTransformer(np.log1p), tmp_path / "transformer.skops")


@pytest.fixture
def tree_file(tmp_path):
    return save_model(DecisionTreeClassifier(max_depth=3).fit(_X, _Y), tmp_path / "tree.skops")


def _node(loader, module, name, **more):
    return {"__loader__": loader, "__module__": module, "__class__": name, "__id__": 987654, **more}


def _text(value):
    return _node("JsonNode", "builtins", "str", content=json.dumps(value), is_json=True)


_ARGS = _node("TupleNode", "builtins", "tuple", content=[_text("touch PWNED")])
_EVIL = {
    "a function": _node("FunctionNode", "os", "system"),
    "a builtin": _node("TypeNode", "builtins", "eval"),
    "a type": _node("TypeNode", "subprocess", "Popen"),
    "a call": _node("ConstructorFromReduceNode", "os", "system", content=_ARGS),
    "a call of something trusted": _node(
        "ConstructorFromReduceNode", "sklearn.linear_model._logistic", "LogisticRegression", content=_ARGS
    ),
    "a trusted function where a type is called": _node(
        "ListNode", "sklearn.feature_selection._univariate_selection", "f_classif", content=[_text(1)]
    ),
    "a trusted type where a function is expected": _node("FunctionNode", "numpy", "ndarray"),
    "a partial of a foreign function": _node(
        "PartialNode",
        "functools",
        "partial",
        content={
            "func": _node("FunctionNode", "os", "system"),
            "args": _ARGS,
            "kwds": _text(None),
            "namespace": _text(None),
        },
    ),
    "a method": _node("MethodNode", "builtins", "str", content={"func": "format", "obj": _text("x")}),
    "an operator": _node("OperatorFuncNode", "operator", "methodcaller", attrs=_ARGS),
    "an object": _node("ObjectNode", "subprocess", "Popen"),
    "a cached node": _node("CachedNode", "builtins", "str"),
    "an unknown loader": _node("PickleNode", "builtins", "str"),
    "a dictionary that is none": _node(
        "DictNode", "os", "_Environ", content={}, key_types=_node("ListNode", "builtins", "list", content=[])
    ),
    "a loss that is none": _node("LossNode", "os", "system", content=_text({}), __reduce__={"args": _ARGS}),
    "a generator that is none": _node(
        "RandomGeneratorNode",
        "numpy.random._generator",
        "Generator",
        content={
            "bit_generator": _node(
                "DictNode",
                "builtins",
                "dict",
                content={"bit_generator": _text("seed")},
                key_types=_node("ListNode", "builtins", "list", content=[_node("TypeNode", "builtins", "str")]),
            ),
            "seed_seq": _text({}),
        },
    ),
}


@pytest.mark.parametrize("what", _EVIL)
def test_nothing_that_is_not_on_the_list_is_built(what, transformer, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def edit(tree):
        tree["content"]["content"]["func"] = copy.deepcopy(_EVIL[what])

    with pytest.raises(UntrustedTypeError if "generator" not in what else _REFUSED, match=r"list|cannot be read"):
        load_model(_with_tree(tmp_path, transformer, edit))
    assert not (tmp_path / "PWNED").exists()


def test_the_message_names_what_was_found(transformer, tmp_path):
    def edit(tree):
        tree["content"]["content"]["func"] = _EVIL["a function"]

    with pytest.raises(UntrustedTypeError, match=r"'os\.system'") as caught:
        load_model(_with_tree(tmp_path, transformer, edit))
    assert caught.value.types == ["os.system"]


@pytest.mark.parametrize("protocol", [0, 1, -1, 99, True, "2", None, 1.0])
def test_a_file_cannot_ask_for_older_loaders(protocol, transformer, tmp_path):
    with pytest.raises(CorruptionError):
        load_model(_with_tree(tmp_path, transformer, lambda tree: tree | {"protocol": protocol}))


@pytest.mark.parametrize(
    "edit",
    [
        lambda tree: [tree],
        lambda tree: {},
        lambda tree: tree | {"__loader__": None},
        lambda tree: tree | {"content": tree},
        lambda tree: bool(tree["content"].pop("content")),
        lambda tree: bool(tree["content"].pop("key_types")),
        lambda tree: tree["content"].update(key_types=[]),
        lambda tree: tree["content"].update(key_types={"content": [{"__class__": "bool"}]}),
    ],
)
def test_a_tree_of_another_shape_is_no_model(edit, transformer, tmp_path):
    with pytest.raises(_REFUSED):
        load_model(_with_tree(tmp_path, transformer, edit))


def test_a_tree_nested_without_end_is_no_model(transformer, tmp_path):
    members = _content(transformer) | {"schema.json": b"[" * 200_000}
    with pytest.raises(CorruptionError):
        load_model(_forged(tmp_path, _zipped(members.items())))


@pytest.mark.parametrize(
    "name", ["../evil.npy", "/etc/passwd", "a/../../b.npy", "C:\\x.npy", "x.py", "1.npy.exe", "1", ".npy", "model.pkl"]
)
def test_members_with_names_that_are_not_ours_are_refused(name, transformer, tmp_path):
    members = [*_content(transformer).items(), (name, b"x")]
    with pytest.raises(CorruptionError, match="which no model file of ours does"):
        load_model(_forged(tmp_path, _zipped(members)))


def test_a_member_that_is_there_twice_is_refused(tree_file, tmp_path):
    members = list(_content(tree_file).items())
    with pytest.raises(CorruptionError, match="twice"):
        load_model(_forged(tmp_path, _zipped([*members, members[-1]])))


def test_a_compressed_archive_is_refused_whatever_is_in_it(tree_file, tmp_path):
    members = _content(tree_file) | {"0.npy": b"\0" * 50_000_000}
    with pytest.raises(CorruptionError, match="compressed"):
        load_model(_forged(tmp_path, _zipped(members.items(), zipfile.ZIP_DEFLATED)))


def test_a_compressed_sparse_matrix_is_refused(tmp_path):
    idf = save_model(TfidfTransformer().fit(sparse.csr_array(np.eye(4))), tmp_path / "idf.skops")
    members = _content(idf) | {"0.npz": _zipped([("data.npy", b"\0" * 10_000_000)], zipfile.ZIP_DEFLATED)}
    with pytest.raises(CorruptionError, match="compressed"):
        load_model(_forged(tmp_path, _zipped(members.items())))


def test_a_missing_tree_or_member_is_damage(tree_file, tmp_path):
    members = _content(tree_file)
    for name in ("schema.json", "0.npy"):
        rest = {key: value for key, value in members.items() if key != name}
        with pytest.raises(CorruptionError):
            load_model(_forged(tmp_path, _zipped(rest.items())))


def _npy(array, *, pickled=False):
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=pickled)
    return buffer.getvalue()


class _Bomb:
    def __reduce__(self):
        return eval, ("open('PWNED', 'w')",)


def test_a_pickled_array_is_never_unpickled(tree_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    members = _content(tree_file) | {"0.npy": _npy(np.array([_Bomb()], dtype=object), pickled=True)}
    with pytest.raises(CorruptionError, match="Python objects"):
        load_model(_forged(tmp_path, _zipped(members.items())))
    assert not (tmp_path / "PWNED").exists()


def test_an_array_that_claims_more_than_it_has_is_refused_before_memory_is_taken(tree_file, tmp_path):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (1 << 40, 1 << 40)})
    members = _content(tree_file) | {"0.npy": header.getvalue()}
    with pytest.raises(CorruptionError, match="claims"):
        load_model(_forged(tmp_path, _zipped(members.items())))


def _tree_arrays(members, field):
    for name, data in members.items():
        if name.endswith(".npy"):
            array = np.load(io.BytesIO(data))
            if array.dtype.names and field in array.dtype.names:
                yield name, array


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("left_child", 10_000),
        ("right_child", 0),
        ("left_child", -7),
        ("feature", 3),
        ("feature", -1),
        ("feature", 1 << 40),
    ],
)
def test_a_decision_tree_that_points_outside_of_itself_is_refused(field, value, tree_file, tmp_path):
    members = _content(tree_file)
    ((name, nodes),) = _tree_arrays(members, field)
    nodes[field][0] = value
    members[name] = _npy(nodes)
    with pytest.raises(CorruptionError, match=r"tree (has|asks)"):
        load_model(_forged(tmp_path, _zipped(members.items())))


def test_a_forest_that_checks_for_fewer_columns_than_its_trees_ask_for_is_refused(tmp_path):
    forest = save_model(RandomForestClassifier(2, max_depth=2, random_state=0).fit(_X, _Y), tmp_path / "forest.skops")

    def edit(tree):
        tree["content"]["content"]["n_features_in_"]["content"] = "1"

    with pytest.raises(CorruptionError, match="of 1"):
        load_model(_with_tree(tmp_path, forest, edit))


@pytest.mark.parametrize("count", [10_000, 0, -1, "3", None])
def test_a_decision_tree_that_counts_wrong_is_refused(count, tree_file, tmp_path):
    def edit(tree):
        tree["content"]["content"]["tree_"]["content"]["content"]["node_count"]["content"] = json.dumps(count)

    with pytest.raises(CorruptionError, match="claims"):
        load_model(_with_tree(tmp_path, tree_file, edit))


@pytest.mark.parametrize(
    ("field", "value"), [("left", 10_000), ("right", 0), ("feature_idx", 3), ("feature_idx", -1), ("bitset_idx", 99)]
)
def test_a_boosted_tree_that_points_outside_of_itself_is_refused(field, value, tmp_path):
    inputs = _X.copy()
    inputs[:, 1] = np.random.default_rng(0).integers(0, 4, 60)
    truth = inputs[:, 1] % 2 == 0
    model = HistGradientBoostingClassifier(max_iter=1, categorical_features=[1], min_samples_leaf=2).fit(inputs, truth)
    members = _content(save_model(model, tmp_path / "boosted.skops"))
    ((name, nodes),) = _tree_arrays(members, field)
    assert nodes["is_categorical"][0]
    nodes[field][0] = value
    members[name] = _npy(nodes)
    with pytest.raises(CorruptionError, match="a tree"):
        load_model(_forged(tmp_path, _zipped(members.items())))


def test_whatever_bytes_are_changed_the_answer_is_a_model_or_a_clear_refusal(tmp_path):
    stored = save_model(LogisticRegression().fit(_X, _Y), tmp_path / "model.skops")
    whole = stored.path.read_bytes()
    draw = random.Random(0)
    refused = 0
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(draw.choice((1, 1, 3, 10))):
            data[draw.randrange(len(data))] = draw.randrange(256)
        if draw.random() < 0.2:
            del data[draw.randrange(len(data)) :]
        try:
            load_model(_forged(tmp_path, bytes(data)))
        except _REFUSED:
            refused += 1
    assert refused > 200


@pytest.mark.parametrize("data", [b"", b"PK", b"\x80\x04K\x01.", b"\0" * 1000, _zipped([])])
def test_what_is_no_archive_is_damage(data, tmp_path):
    with pytest.raises(CorruptionError):
        load_model(_forged(tmp_path, data))

"""What models are called in a report, and which family they belong to."""

DEEP = ("ddcl", "mlp", "realmlp", "tabm", "ftt", "tabnet")
_BOOSTED = ("histgb", "lgbm", "xgb", "catboost", "rf")
_NAMES = {
    "ddcl": "DDCL",
    "shuffled": "DDCL on shuffled columns",
    "realmlp": "RealMLP-TD",
    "tabm": "TabM-D",
    "ftt": "FT-Transformer",
    "tabnet": "TabNet",
    "catboost": "CatBoost",
    "lgbm": "LightGBM",
    "xgb": "XGBoost",
    "histgb": "HistGradientBoosting",
    "rf": "random forest",
    "mlp": "sklearn MLP",
    "logreg": "logistic regression",
}


def label(spec: str) -> str:
    """Return a readable name: ``ddcl:readout=mean`` is "DDCL readout=mean"."""
    name, _, options = spec.partition(":")
    return " ".join([_NAMES.get(name, name), *filter(None, options.split(","))])


def family(spec: str) -> str:
    """Return "DDCL", "trees", "deep" or "other"."""
    name = spec.partition(":")[0]
    if name in ("ddcl", "shuffled"):
        return "DDCL"
    if name in _BOOSTED:
        return "trees"
    return "deep" if name in DEEP else "other"


def in_order(specs: set[str]) -> list[str]:
    """Return specs in the order in which reports name models, unknown ones last."""
    known = list(_NAMES)

    def place(spec: str) -> tuple[int, str]:
        name = spec.partition(":")[0]
        return (known.index(name) if name in known else len(known), spec)

    return sorted(specs, key=place)

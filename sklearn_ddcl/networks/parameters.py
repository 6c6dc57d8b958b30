"""Parameter objects that scikit-learn can read, set and clone."""

from dataclasses import fields
from numbers import Integral, Real
from typing import Any, Self, get_args


class Parameters:
    """Give a dataclass the parameter protocol of scikit-learn.

    With it ``GridSearchCV`` reaches a field as ``encoder__n_layers``, without this
    floor importing scikit-learn.
    """

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the fields and their values.

        Parameters
        ----------
        deep : bool, default=True
            Ignored; there is nothing nested.

        Returns
        -------
        params : dict
            Field name to value.
        """
        return {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]

    def set_params(self, **params: Any) -> Self:
        """Set fields by name.

        Parameters
        ----------
        **params : dict
            Field name to value.

        Returns
        -------
        self : Parameters
            The same object.

        Raises
        ------
        ValueError
            If a name is not a field.
        """
        known = self.get_params()
        for name, value in params.items():
            if name not in known:
                raise ValueError(
                    f"Invalid parameter {name!r} for {type(self).__name__}. "
                    f"Valid parameters are: {sorted(known)}."
                )
            setattr(self, name, value)
        return self

    @property
    def needs_knots(self) -> bool:
        """Whether numbers enter through curves between quantiles, unless said else."""
        return getattr(self, "numerical", "mixed") in ("mixed", "piecewise_linear")

    @property
    def needs_distances(self) -> bool:
        """Whether the network pools columns by how near they are."""
        return getattr(self, "context_pool", None) not in (None, "index")

    def check_probability(self, name: str) -> None:
        """Raise unless the named field is a number in [0, 1).

        Parameters
        ----------
        name : str
            Field name.
        """
        self.check_at_least(**{name: 0})
        if getattr(self, name) >= 1:
            raise ValueError(
                f"{type(self).__name__}.{name} must be below 1, got "
                f"{getattr(self, name)!r}."
            )

    def check_choices(self, **choices: tuple[Any, ...]) -> None:
        """Raise unless the named fields are among their choices.

        Parameters
        ----------
        **choices : dict
            Field name to what it may be.
        """
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise ValueError(
                    f"{type(self).__name__}.{name} must be one of {known}, got "
                    f"{getattr(self, name)!r}."
                )

    def check_at_least(self, **minima: float) -> None:
        """Raise unless the named fields are numbers not below their minimum.

        A field that is not declared to hold a ``float`` must hold a whole number.

        Parameters
        ----------
        **minima : dict
            Field name to smallest allowed value.
        """
        types = {field.name: field.type for field in fields(self)}  # type: ignore[arg-type]
        for name, smallest in minima.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, Real):
                raise ValueError(
                    f"{type(self).__name__}.{name} must be a number, got {value!r}."
                )
            if not (isinstance(value, Integral) or _may_be_broken(types[name])):
                raise ValueError(
                    f"{type(self).__name__}.{name} must be a whole number, got "
                    f"{value!r}."
                )
            if not float(value) >= smallest:
                raise ValueError(
                    f"{type(self).__name__}.{name} must be at least {smallest}, got "
                    f"{value!r}."
                )


def _may_be_broken(kind: Any) -> bool:
    return float in (kind, *get_args(kind))

"""An encoder that may be given by name, and reached by its fields all the same."""

from typing import Any, ClassVar, Self

import numpy as np

from sklearn_ddcl import networks


class NamedEncoderMixin:
    """Let ``encoder__x`` work while `encoder` is a name.

    A subclass says in `_encoders` what the names stand for.
    """

    encoder: Any
    _encoders: ClassVar[dict[str, Any]]

    def set_params(self, **params: Any) -> Self:
        """Set parameters; ``encoder__x`` also works while `encoder` is a name.

        Parameters
        ----------
        **params : dict
            Parameter name to value.

        Returns
        -------
        self : estimator
            The same object.
        """
        encoder = params.get("encoder", self.encoder)
        nested = any(name.startswith("encoder__") for name in params)
        if nested and isinstance(encoder, str) and encoder in self._encoders:
            params["encoder"] = self._encoders[encoder]()
        return super().set_params(**params)  # type: ignore[misc]


def resolve_encoder(encoder: Any, encoders: dict[str, Any]) -> Any:
    """Return a parameter object for a name, a copy of the object otherwise.

    Parameters
    ----------
    encoder : str or parameter object
        As given to the estimator.
    encoders : dict
        What the names stand for.

    Returns
    -------
    encoder : parameter object
        Not the caller's own, which may change later.

    Raises
    ------
    ValueError
        If the name is unknown.
    """
    if not isinstance(encoder, str):
        return type(encoder)(
            **{name: _plain(value) for name, value in encoder.get_params().items()}
        )
    if encoder not in encoders:
        raise ValueError(
            f"encoder must be one of {sorted(encoders)} or a parameter object, got "
            f"{encoder!r}."
        )
    return encoders[encoder]()


def registered_name(encoder: Any, registry: str) -> str:
    """Return the name under which the kind of a parameter object is known.

    Parameters
    ----------
    encoder : parameter object
        Of any kind.
    registry : str
        Name of a registry in :mod:`sklearn_ddcl.networks`.

    Returns
    -------
    name : str

    Raises
    ------
    ValueError
        If it is not registered.
    """
    names = {kind: name for name, kind in getattr(networks, registry).items()}
    if type(encoder) not in names:
        raise ValueError(
            f"{type(encoder).__name__} is not registered, so that a saved network "
            f"could not find it again. Add it to sklearn_ddcl.networks.{registry} "
            "under a name."
        )
    return names[type(encoder)]


def _plain(value: Any) -> Any:
    """Return a number of NumPy's, as from a grid of ``arange``, as one of Python's."""
    return value.item() if isinstance(value, np.generic) else value

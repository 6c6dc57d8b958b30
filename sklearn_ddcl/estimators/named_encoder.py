"""An encoder that may be given by name, and reached by its fields all the same."""

from typing import Any, ClassVar, Self


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

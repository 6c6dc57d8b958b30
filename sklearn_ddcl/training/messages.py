"""What training says to the outside: warnings with a cure, and a wish to stop."""


class CollapseWarning(UserWarning):
    """Prototypes or tokens fell together, so that assignments mean little."""


class TimeScaleWarning(UserWarning):
    """Prototypes are far from the tokens that they answer for."""


class GrowthWarning(UserWarning):
    """A network stopped growing before it had all it called for."""


class StopTraining(Exception):
    """Raised by a callback to end training after the current epoch."""

"""When an encoder may grow."""

from dataclasses import dataclass


@dataclass(frozen=True)
class GrowthRule:
    """What training has to know to add heads to an encoder, and to remove them.

    Energies and costs are losses relative to that of the first epoch: what a head
    would take off, or does.

    Parameters
    ----------
    max_heads : int
        Heads of a layer, at most.
    threshold : float, default=0.1
        A layer gets another head for an energy above this share of the largest that it
        has ever missed.
    floor : float, default=0.001
        Energy that is never worth a head.
    hysteresis : float, default=0.5
        Share of the least energy worth a head that its removal must cost, or it goes.
    patience : int, default=2
        Looks in a row that must agree before a head is added.
    """

    max_heads: int
    threshold: float = 0.1
    floor: float = 0.001
    hysteresis: float = 0.5
    patience: int = 2
